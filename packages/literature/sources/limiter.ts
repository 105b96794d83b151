/**
 * Limits the rate and concurrency of requests to one source, across all processes that share a data folder.
 *
 * No process depends on another, and a crashed process leaves no permanent lock:
 * - Time is divided into slots. A process takes a slot by creating a file named after its first millisecond, which the
 *   file system allows only once. A process that dies wastes its slot.
 * - A waiting or running request holds a lane: a file with an expiry time. A waiting process renews its lane; after it
 *   expires, others may take it.
 * - `pause` stores the time until which the source wants no requests; `limits` stores limits stricter than ours.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { SourceFailure } from '../source.ts'
import { type Lane, tryLane } from './lanes.ts'
import { create, readText, replace } from './shared-files.ts'

export interface Limits {
  /** Minimum time between the starts of two requests, in ms. */
  intervalMs: number
  /** Maximum number of concurrent requests. */
  lanes: number
}

export interface Limiter {
  /** Waits for a turn and returns its release function. Rejects if the turn would come after `deadline` (epoch ms). */
  enter(deadline: number, signal: AbortSignal): Promise<() => Promise<void>>
  /** Blocks all requests to this source until `until` (epoch ms). */
  pause(until: number): Promise<void>
  /** Applies limits that the source states if they are stricter than ours. */
  demand(limits: Partial<Limits>): Promise<void>
}

const LANE_POLL_MS = 50
/** How long to obey a source's stricter limits. A source that still has them states them again. */
const OBEY_MS = 60 * 60 * 1000
/** How long to keep past slots, because clocks differ a little. */
const KEEP_SLOTS_MS = 60_000

export function createLimiter(dir: string, ours: Limits, clock: Clock = systemClock): Limiter {
  const file = (name: string) => join(dir, name)
  const made = mkdir(dir, { recursive: true })
  // `enter` reports this error to each caller.
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

  /** The first free slot from now, or undefined if it would start after the deadline. */
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

  /** Waits for the pause and a slot to pass; returns true if the request may start. */
  async function turn(lane: Lane, deadline: number, signal: AbortSignal): Promise<boolean> {
    const until = await pausedUntil()
    if (until > deadline)
      throw new SourceFailure('rate_limited', 'it asked us to wait longer than the search may take')
    if (!(await lane.keepUntil(until, signal))) return false
    const slot = await takeSlot((await limits()).intervalMs, deadline)
    if (slot === undefined) throw busy()
    if (!(await lane.keepUntil(slot, signal))) return false
    // The source may have asked another process to pause in the meantime.
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
  return new SourceFailure('timeout', 'the rate limit left no free slot within the time limit of the search')
}

async function readJson(path: string): Promise<Partial<Limits & { until: number }>> {
  const text = await readText(path)
  return text === undefined ? {} : JSON.parse(text)
}
