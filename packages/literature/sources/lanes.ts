/** A lane: the place of one request, waiting for its slot or under way; a file that says until when it is held. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { createWhole, readText, replace, takeAway } from './shared-files.ts'

export interface Lane {
  /** Waits, and holds it all the while; false when it was lost all the same. */
  keepUntil(time: number, signal: AbortSignal): Promise<boolean>
  release(): Promise<void>
}

/** No request takes as long, and waiting is cut into shorter pieces: a lane not renewed belongs to a process gone. */
const LANE_MS = 120_000

/** Takes it when it is free; one left behind by a process that is gone is made free for the next try. */
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
        // A process that stood still for too long may have lost it.
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
