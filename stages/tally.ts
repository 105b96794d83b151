/**
 * What has happened to all jobs of a queue, counted in Redis by the script call that makes it happen: each number
 * follows from log lines, so it agrees with the journals whoever dies when.
 */
import { isTerminal, type LogEntry } from './events.ts'
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

/**
 * Lua, part of `RECORD`: `count(what, tally)` adds what `toCount` gives to the hash `tally`. Ends are counted by minute, in
 * as many fields as minutes are kept: each begins anew when its time has come again.
 */
export const COUNT_EVENTS = `
local function count(what, tally)
  for field, by in string.gmatch(what, '(%S+)=(%d+)') do redis.call('HINCRBY', tally, field, by) end
  local stage, at = string.match(what, '^(%d+):ended@(%d+)')
  if not stage then return end
  local minute = math.floor(at / 60000)
  local slot = stage .. ':ended:' .. minute % ${MINUTES}
  if math.floor(redis.call('HINCRBY', tally, slot, 1) / ${MINUTE_SHIFT}) ~= minute then
    redis.call('HSET', tally, slot, string.format('%.0f', minute * ${MINUTE_SHIFT} + 1))
  end
end`

const ENDS: Readonly<Record<string, string>> = { WORKER_LOST: 'lost', WORKER_SHUTDOWN: 'handed_over' }

/** What is counted of a job, and when it was accepted and last started. */
export interface CountedJob extends Pick<Journal, 'createdAt' | 'processedAt'> {
  data: JobOrigin
}

/**
 * What `entries` add to the tally, as `<stage>:ended@<time> <stage>:<field>=<by> …`; '' for mere progress. A job waits from
 * being accepted to its first start, and takes from its last start to its end; the buckets count these events too, so
 * that they have no field of their own.
 */
export function toCount({ data, createdAt, processedAt }: CountedJob, entries: readonly LogEntry[]): string {
  // Somebody may have queued a job of a stage that is none.
  const { stage } = data
  const known = Number.isInteger(stage) && stage >= 1 && stage <= 20 ? stage : 0
  let counted = ''
  for (const { type, attempt, at, error } of entries) {
    if (type === 'active')
      counted += attempt === 1 ? observed(known, 'waiting', at - createdAt) : one(known, 'again')
    else if (type === 'retrying') counted += one(known, ENDS[error?.code ?? ''] ?? 'retried')
    else if (isTerminal(type)) {
      const how =
        type === 'completed' ? observed(known, 'duration', at - (processedAt ?? at)) : one(known, type)
      counted = `${known}:ended@${at}${counted}${how}`
    }
  }
  return counted
}

function one(stage: number, field: string): string {
  return ` ${stage}:${field}=1`
}

/** `ms` is below zero where clocks differ, and not a number where somebody wrote the job by hand. */
function observed(stage: number, field: string, ms: number): string {
  const counted = Math.max(0, Math.round(ms) || 0)
  const longer = BUCKETS_MS.findIndex((bound) => counted <= bound)
  const bucket = longer === -1 ? BUCKETS_MS.length : longer
  return ` ${stage}:${field}:${bucket}=1 ${stage}:${field}:ms=${counted}`
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

/** One stage out of the hash that `COUNT` keeps; zeros where nothing has happened. */
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
