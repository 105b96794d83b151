/**
 * How many jobs waited, ran, ended and failed in each minute of the last day. The history is one hash with a field for each
 * minute of a day, so its size is bounded. The API processes write it from counts that they read anyway (see
 * `plugins/history.ts`), so it adds no work to a job.
 */
import type { Redis } from 'ioredis'
import type { HistoryPoint } from '../contract/history.ts'
import type { JournalKeys } from './journal.ts'

/** How many minutes are kept. */
export const KEPT_MINUTES = 1440
/** Longer than the minutes are kept. An unused queue leaves nothing behind. */
const TTL_SECONDS = 2 * 86_400

export const MINUTE_MS = 60_000

/** What happened in a minute. */
export interface Minute {
  /** Minutes since the epoch. */
  minute: number
  /** The most jobs that an API process saw waiting; null if none looked. */
  waiting: number | null
  /** The most jobs that an API process saw running; null if none looked. */
  active: number | null
  ended: number
  /** How many of the ended jobs failed. */
  failed: number
}

/** Reads `count` minutes up to `last`; minutes that are not kept are absent. */
export async function readMinutes(
  redis: Redis,
  keys: JournalKeys,
  last: number,
  count: number,
): Promise<Map<number, Minute>> {
  const wanted = Array.from({ length: count }, (_, i) => last - count + 1 + i)
  const stored = await redis.hmget(keys.history, ...wanted.map((minute) => String(minute % KEPT_MINUTES)))
  const found = new Map<number, Minute>()
  for (const [i, value] of stored.entries()) {
    const one = value === null ? null : decode(value)
    // Otherwise the field still has a minute of an earlier day.
    if (one && one.minute === wanted[i]) found.set(one.minute, one)
  }
  return found
}

export async function writeMinutes(redis: Redis, keys: JournalKeys, minutes: readonly Minute[]) {
  const fields = minutes.flatMap((one) => [String(one.minute % KEPT_MINUTES), encode(one)])
  await redis
    .multi()
    .hset(keys.history, ...fields)
    .expire(keys.history, TTL_SECONDS)
    .exec()
}

/** The higher of two readings of the same minute. */
export function most(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}

/** Sums up minutes into `count` points of `step` minutes each, oldest first. The last point contains the minute `now`. */
export function toPoints(
  minutes: ReadonlyMap<number, Minute>,
  now: number,
  count: number,
  step: number,
): HistoryPoint[] {
  const newest = now - (now % step)
  return Array.from({ length: count }, (_, i) => {
    const from = newest - (count - 1 - i) * step
    const known = Array.from({ length: step }, (_, k) => minutes.get(from + k)).filter(
      (one) => one !== undefined,
    )
    const sum = (of: (one: Minute) => number) =>
      known.length === 0 ? null : known.reduce((all, one) => all + of(one), 0)
    return {
      at: from * MINUTE_MS,
      waiting: known.reduce<number | null>((all, one) => most(all, one.waiting), null),
      active: known.reduce<number | null>((all, one) => most(all, one.active), null),
      ended: sum((one) => one.ended),
      failed: sum((one) => one.failed),
    }
  })
}

const encode = ({ minute, waiting, active, ended, failed }: Minute): string =>
  [minute, waiting ?? '-', active ?? '-', ended, failed].join(' ')

function decode(value: string): Minute | null {
  const [minute, waiting, active, ended, failed] = value
    .split(' ')
    .map((part) => (part === '-' ? null : Number(part)))
  if (minute == null || ended == null || failed == null) return null
  return { minute, waiting: waiting ?? null, active: active ?? null, ended, failed }
}
