/**
 * What has happened to all jobs of a queue, counted in Redis by the script call that makes it happen: each number
 * follows from log lines, so it agrees with the journals whoever dies when.
 */
import { isTerminal, type LogEntry } from '../contract/events.ts'
import type { JobOrigin } from './order.ts'
import type { Journal } from './snapshot.ts'

/** Upper ends of the buckets in ms: of how long jobs wait for their first start, and of how long stages take. */
export const BUCKETS_MS = [
  10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000,
  20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 300_000, 450_000, 600_000, 900_000, 1_200_000,
  1_800_000, 2_700_000, 3_600_000, 5_400_000, 7_200_000,
] as const

/** Minutes kept of how many jobs ended. */
const MINUTES = 4
/** A minute and its count are one number, so that one command does for both: minute times this, plus count. */
const MINUTE_SHIFT = 100_000_000

const ENDS: Readonly<Record<string, string>> = { WORKER_LOST: 'lost', WORKER_SHUTDOWN: 'handed_over' }

/** What is counted of a job, and when it was accepted and last started. */
export interface CountedJob extends Pick<Journal, 'createdAt' | 'processedAt'> {
  data: JobOrigin
}

export interface Counts {
  /** The least that the first count must reach. */
  leastEnded: number
  /** Fields, and by how much each rises. */
  counts: [field: string, by: number][]
}

/**
 * What `entries` add to the tally: nothing for mere progress. A job waits from being accepted to its first start, and
 * takes from its last start to its end; the buckets count these events too, so that they have no field of their own.
 */
export function toCount({ data, createdAt, processedAt }: CountedJob, entries: readonly LogEntry[]): Counts {
  // Somebody may have queued a job of a stage that is none.
  const stage = Number.isInteger(data.stage) && data.stage >= 1 && data.stage <= 999 ? data.stage : 0
  const result: Counts = { leastEnded: 0, counts: [] }
  const count = (field: string, by = 1) => result.counts.push([`${stage}:${field}`, by])
  /** `ms` is below zero where clocks differ, and not a number where somebody wrote the job by hand. */
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
      result.counts.unshift([`${stage}:ended:${minute % MINUTES}`, 1])
    }
  }
  return result
}

/** Durations counted by bucket: `counts` has one more than `BUCKETS_MS`, for whatever is longer. */
export interface Histogram {
  counts: readonly number[]
  sumMs: number
}

/** What has happened to the jobs of one stage since the queue was made. */
export interface StageTally {
  stage: number
  /** Starts; every one counts. */
  attempts: number
  completed: number
  failed: number
  cancelled: number
  /** Attempts that failed and were followed by another. */
  retried: number
  /** Attempts whose worker was lost. */
  lost: number
  /** Attempts that a shutdown ended. */
  handedOver: number
  /** From being accepted to the first start. */
  waiting: Histogram
  /** Of the attempts that completed their job. */
  duration: Histogram
  /** Ends by minute since the epoch. */
  ended: ReadonlyMap<number, number>
}

/** One stage out of the hash that `record` keeps; zeros where nothing has happened. */
export function readTally(hash: Readonly<Record<string, string>>, stage: number): StageTally {
  const number = (field: string) => Number(hash[`${stage}:${field}`] ?? 0)
  const histogram = (field: string): Histogram => ({
    counts: Array.from({ length: BUCKETS_MS.length + 1 }, (_, i) => number(`${field}:${i}`)),
    sumMs: number(`${field}:ms`),
  })
  const [waiting, duration] = [histogram('waiting'), histogram('duration')]
  const slots = Array.from({ length: MINUTES }, (_, slot) => number(`ended:${slot}`))
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
    ended: new Map(slots.map((slot) => [Math.floor(slot / MINUTE_SHIFT), slot % MINUTE_SHIFT])),
  }
}

/** Jobs that ended within the last minute. What the minute before still counts for is taken as evenly spread. */
export function endedLastMinute({ ended }: StageTally, now: number): number {
  const minute = Math.floor(now / 60_000)
  const left = 1 - (now % 60_000) / 60_000
  const estimate = (ended.get(minute) ?? 0) + (ended.get(minute - 1) ?? 0) * left
  return Math.round(estimate * 10) / 10
}

/** The `q`th quantile in ms, taken as evenly spread within its bucket; null when nothing was counted. */
export function quantile(histogram: Histogram, q: number): number | null {
  const { counts } = histogram
  const all = total(histogram)
  if (all === 0) return null
  const rank = q * all
  let below = 0
  for (const [i, count] of counts.entries()) {
    const from = BUCKETS_MS[i - 1] ?? 0
    // Of what is longer than the last bucket nothing is known but that.
    const to = BUCKETS_MS[i] ?? from
    if (below + count >= rank && count > 0) return Math.round(from + ((to - from) * (rank - below)) / count)
    below += count
  }
  return null
}

function total({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
