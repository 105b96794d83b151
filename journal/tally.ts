/**
 * Counts of all jobs of a queue. The script call that appends to a log also updates the counts, so they agree with the logs
 * even if a process crashes.
 */
import { isTerminal, type LogEntry } from '../contract/events.ts'
import type { JobOrigin } from './order.ts'
import type { Journal } from './snapshot.ts'

/** Upper bounds of the buckets in ms, for waiting times and durations. */
export const BUCKETS_MS = [
  10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000,
  20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 300_000, 450_000, 600_000, 900_000, 1_200_000,
  1_800_000, 2_700_000, 3_600_000, 5_400_000, 7_200_000,
] as const

/** Minutes for which ended jobs are counted. */
export const TALLIED_MINUTES = 60
/** Factor by which a minute is stored in one number with its count (minute * shift + count), so that one command updates both. */
const MINUTE_SHIFT = 100_000_000

const ENDS: Readonly<Record<string, string>> = { WORKER_LOST: 'lost', WORKER_SHUTDOWN: 'handed_over' }

/** The data of a job that counting needs. */
export interface CountedJob extends Pick<Journal, 'createdAt' | 'processedAt'> {
  data: JobOrigin
}

export interface Counts {
  /** Minimum value of the counts by minute. */
  leastEnded: number
  /** Fields and their increments. */
  counts: [field: string, by: number][]
}

/**
 * What `entries` add to the tally; progress adds nothing. The waiting time is from acceptance to the first start, the
 * duration from the last start to the end. Their buckets also give the numbers of first starts and completed jobs, so these
 * need no separate fields.
 */
export function toCount({ data, createdAt, processedAt }: CountedJob, entries: readonly LogEntry[]): Counts {
  // A manually queued job may have an invalid stage.
  const stage = Number.isInteger(data.stage) && data.stage >= 1 && data.stage <= 999 ? data.stage : 0
  const result: Counts = { leastEnded: 0, counts: [] }
  const count = (field: string, by = 1) => result.counts.push([`${stage}:${field}`, by])
  /** `ms` is negative if clocks differ, and NaN for a manually written job. */
  const observe = (field: string, ms: number) => {
    const took = Math.max(0, Math.round(ms) || 0)
    const within = BUCKETS_MS.findIndex((bound) => took <= bound)
    count(`${field}:${within === -1 ? BUCKETS_MS.length : within}`)
    count(`${field}:ms`, took)
  }
  for (const { type, attempt, at, error } of entries) {
    if (type === 'active' && attempt === 1) observe('waiting', at - createdAt)
    else if (type === 'active') count('again')
    else if (type === 'retrying') count(ENDS[error?.code ?? ''] ?? 'retried')
    else if (type === 'completed') observe('duration', at - (processedAt ?? at))
    else if (isTerminal(type)) count(type)
    if (isTerminal(type)) {
      const minute = Math.floor(at / 60_000)
      result.leastEnded = minute * MINUTE_SHIFT + 1
      count(`ended:${minute % TALLIED_MINUTES}`)
      if (type === 'failed') count(`ended:failed:${minute % TALLIED_MINUTES}`)
    }
  }
  return result
}

/** Durations by bucket. `counts` has one more element than `BUCKETS_MS`, for longer ones. */
export interface Histogram {
  counts: readonly number[]
  sumMs: number
}

/** Counts of one stage since the queue was created. */
export interface StageTally {
  stage: number
  /** Starts of jobs, including repeated ones. */
  attempts: number
  completed: number
  failed: number
  cancelled: number
  /** Failed attempts followed by another. */
  retried: number
  /** Attempts whose worker was lost. */
  lost: number
  /** Attempts that a shutdown ended. */
  handedOver: number
  /** Time from acceptance to the first start. */
  waiting: Histogram
  /** Duration of attempts that completed their job. */
  duration: Histogram
  /** Ended jobs by minute since the epoch. */
  ended: ReadonlyMap<number, number>
  /** How many of them failed, by minute. */
  endedFailed: ReadonlyMap<number, number>
}

/** Reads one stage from the hash; zeros if nothing was counted. */
export function readTally(hash: Readonly<Record<string, string>>, stage: number): StageTally {
  const number = (field: string) => Number(hash[`${stage}:${field}`] ?? 0)
  const histogram = (field: string): Histogram => ({
    counts: Array.from({ length: BUCKETS_MS.length + 1 }, (_, i) => number(`${field}:${i}`)),
    sumMs: number(`${field}:ms`),
  })
  const [waiting, duration] = [histogram('waiting'), histogram('duration')]
  const byMinute = (field: string) =>
    new Map(
      Array.from({ length: TALLIED_MINUTES }, (_, slot) => number(`${field}:${slot}`))
        .filter((slot) => slot > 0)
        .map((slot) => [Math.floor(slot / MINUTE_SHIFT), slot % MINUTE_SHIFT]),
    )
  return {
    stage,
    attempts: total(waiting) + number('again'),
    completed: total(duration),
    failed: number('failed'),
    cancelled: number('cancelled'),
    retried: number('retried'),
    lost: number('lost'),
    handedOver: number('handed_over'),
    waiting,
    duration,
    ended: byMinute('ended'),
    endedFailed: byMinute('ended:failed'),
  }
}

/** Estimates how many jobs ended within the last 60 s, as if the ends of the previous minute were evenly spread. */
export function endedLastMinute({ ended }: StageTally, now: number): number {
  const minute = Math.floor(now / 60_000)
  const left = 1 - (now % 60_000) / 60_000
  const estimate = (ended.get(minute) ?? 0) + (ended.get(minute - 1) ?? 0) * left
  return Math.round(estimate * 10) / 10
}

/** Ended jobs of all stages, for each minute from `from` to `last`, at most `TALLIED_MINUTES`. */
export function endedByMinute(tallies: readonly StageTally[], from: number, last: number) {
  return Array.from({ length: last - from + 1 }, (_, i) => {
    const minute = from + i
    const sum = (counts: (tally: StageTally) => ReadonlyMap<number, number>) =>
      tallies.reduce((all, tally) => all + (counts(tally).get(minute) ?? 0), 0)
    return { minute, ended: sum(({ ended }) => ended), failed: sum((one) => one.endedFailed) }
  })
}

/** The `q` quantile in ms, interpolated within its bucket; null if nothing was counted. */
export function quantile(histogram: Histogram, q: number): number | null {
  const { counts } = histogram
  const all = total(histogram)
  if (all === 0) return null
  const rank = q * all
  let below = 0
  for (const [i, count] of counts.entries()) {
    const from = BUCKETS_MS[i - 1] ?? 0
    // The last bucket has no upper bound.
    const to = BUCKETS_MS[i] ?? from
    if (below + count >= rank && count > 0) return Math.round(from + ((to - from) * (rank - below)) / count)
    below += count
  }
  return null
}

function total({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
