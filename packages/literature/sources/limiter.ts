/**
 * How often, and how many at a time, one source is asked, over all jobs of all processes that share a data folder.
 *
 * No process has to be up for another one, and none can leave a lock behind that stops the rest:
 * - time is cut into slots; a slot is taken by creating the file that is named after its first millisecond, which
 *   the file system lets one process do. A process that dies has wasted a slot.
 * - a request, waiting for its slot or under way, holds a lane: a file with the time until which it may be held. Who
 *   waits longer renews it; after that time it is free.
 * - `pause` holds the time until which the source asked to be left alone, `limits` what it demanded beyond ours.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { SourceFailure } from '../source.ts'
import { type Lane, tryLane } from './lanes.ts'
import { create, readText, replace } from './shared-files.ts'

export interface Limits {
  /** Least time between the beginnings of two requests, in ms. */
  intervalMs: number
  /** Requests under way at a time. */
  lanes: number
}

export interface Limiter {
  /** Waits for its turn; answers how to give it back. Rejects when that would be after `deadline` (epoch ms). */
  enter(deadline: number, signal: AbortSignal): Promise<() => Promise<void>>
  /** Nobody asks this source before `until`, in epoch ms. */
  pause(until: number): Promise<void>
  /** Obeys limits the source names, where they are stricter than ours. */
  demand(limits: Partial<Limits>): Promise<void>
}

const LANE_POLL_MS = 50
/** What a source demanded once is not held against it for ever; if it still stands, it says so again. */
const OBEY_MS = 60 * 60 * 1000
/** Slots that can no longer be taken are kept so long, for clocks that differ a little. */
const KEEP_SLOTS_MS = 60_000

export function createLimiter(dir: string, ours: Limits, clock: Clock = systemClock): Limiter {
  const file = (name: string) => join(dir, name)
  const made = mkdir(dir, { recursive: true })
  // Tell each caller that enters.
  made.catch(() => undefined)
  let swept = 0

  async function limits(): Promise<Limits> {
    const { until = 0, ...theirs } = await readJson(file('limits'))
    const { intervalMs = 0, lanes = Number.POSITIVE_INFINITY } = until > clock.now() ? theirs : {}
    return {
      intervalMs: Math.max(ours.intervalMs, intervalMs),
      lanes: Math.max(1, Math.min(ours.lanes, lanes)),
    }
  }

  async function pausedUntil(): Promise<number> {
    return Number((await readText(file('pause'))) ?? 0) || 0
  }

  /** The first slot from now on that nobody has, or undefined when it would begin after the deadline. */
  async function takeSlot(intervalMs: number, deadline: number): Promise<number | undefined> {
    let slot = Math.ceil(clock.now() / intervalMs) * intervalMs
    for (; slot <= deadline; slot += intervalMs) if (await create(file(String(slot)))) return slot
    return undefined
  }

  async function takeLane(deadline: number, signal: AbortSignal): Promise<Lane> {
    for (;;) {
      const { lanes } = await limits()
      for (let at = 0; at < lanes; at++) {
        const lane = await tryLane(file(`lane-${at}`), clock)
        if (lane) return lane
      }
      if (clock.now() + LANE_POLL_MS > deadline) throw busy()
      await clock.sleep(LANE_POLL_MS, signal)
    }
  }

  /** Waits out a pause and a slot; true when the request may go now. */
  async function turn(lane: Lane, deadline: number, signal: AbortSignal): Promise<boolean> {
    const until = await pausedUntil()
    if (until > deadline)
      throw new SourceFailure('rate_limited', 'it asked to be left alone for longer than the search may take')
    if (!(await lane.keepUntil(until, signal))) return false
    const slot = await takeSlot((await limits()).intervalMs, deadline)
    if (slot === undefined) throw busy()
    if (!(await lane.keepUntil(slot, signal))) return false
    // While this one waited, another may have been told to stop asking.
    return (await pausedUntil()) <= clock.now()
  }

  async function sweep(): Promise<void> {
    if (clock.now() - swept < KEEP_SLOTS_MS) return
    swept = clock.now()
    const old = (await readdir(dir)).filter(
      (name) => /^\d+$/.test(name) && Number(name) < swept - KEEP_SLOTS_MS,
    )
    await Promise.all(old.map((name) => rm(file(name), { force: true })))
  }

  return {
    async enter(deadline, signal) {
      await made
      await sweep()
      for (;;) {
        signal.throwIfAborted()
        const lane = await takeLane(deadline, signal)
        let mayGo = false
        try {
          mayGo = await turn(lane, deadline, signal)
          if (mayGo) return lane.release
        } finally {
          if (!mayGo) await lane.release()
        }
      }
    },
    async pause(until) {
      await made
      if (until > (await pausedUntil())) await replace(file('pause'), String(until))
    },
    async demand(wanted) {
      const now = await limits()
      const next = { intervalMs: wanted.intervalMs ?? 0, lanes: wanted.lanes ?? Number.MAX_SAFE_INTEGER }
      if (next.intervalMs <= now.intervalMs && next.lanes >= now.lanes) return
      const stricter = {
        intervalMs: Math.max(next.intervalMs, now.intervalMs),
        lanes: Math.min(next.lanes, now.lanes),
        until: clock.now() + OBEY_MS,
      }
      await replace(file('limits'), JSON.stringify(stricter))
    },
  }
}

function busy(): SourceFailure {
  return new SourceFailure('timeout', 'its turn would have come after the time the search may take')
}

async function readJson(path: string): Promise<Partial<Limits & { until: number }>> {
  const text = await readText(path)
  return text === undefined ? {} : JSON.parse(text)
}
