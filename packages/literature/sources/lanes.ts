/** A lane allows one request to wait or run. It is a file with its expiry time. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { createWhole, readText, replace, takeAway } from './shared-files.ts'

export interface Lane {
  /** Waits while renewing the lane; returns false if the lane was lost. */
  keepUntil(time: number, signal: AbortSignal): Promise<boolean>
  release(): Promise<void>
}

/** Longer than any request or one wait between renewals. An expired lane belongs to a process that has gone. */
const LANE_MS = 120_000

/** Takes the lane if it is free. Removes an expired lane, so that the next try can take it. */
export async function tryLane(path: string, clock: Clock): Promise<Lane | undefined> {
  const stamp = () => `${clock.now() + LANE_MS} ${randomUUID()}`
  let mine = stamp()
  if (!(await createWhole(path, mine))) {
    const theirs = await readText(path)
    if (theirs !== undefined && Number(theirs.split(' ', 1)[0]) < clock.now()) await takeAway(path, theirs)
    return undefined
  }
  const isMine = async () => (await readText(path)) === mine
  return {
    async keepUntil(time, signal) {
      while (clock.now() < time) {
        await clock.sleep(Math.min(time - clock.now(), LANE_MS / 2), signal)
        const next = stamp()
        // Another process may have taken the lane while this one was suspended.
        if (!(await isMine())) return false
        await replace(path, next)
        mine = next
      }
      return true
    },
    async release() {
      if (await isMine()) await takeAway(path, mine)
    },
  }
}
