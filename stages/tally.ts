/**
 * What has happened to all jobs of a queue, counted in Redis by the script call that makes it happen: each number
 * follows from log lines, so it agrees with the journals whoever dies when.
 */
import { isTerminal, type LogEntry } from './events.ts'

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
 * Lua, part of `RECORD`: `count(what, tally, timestamp, processedOn)` writes what `toCount` gives into the hash `tally`,
 * by `<stage>:<field>`. A job waits from being accepted to its first start, and takes from its last start to its end;
 * the buckets count these events too, so that they have no field of their own.
 */
export const COUNT_EVENTS = `
local function count(what, tally, timestamp, processedOn)
  local stage = string.match(what, '^%d+')
  local function add(field, by) return redis.call('HINCRBY', tally, stage .. ':' .. field, by) end
  local function observe(field, from, at)
    local ms = math.max(0, at - math.floor(tonumber(from) or at))
    local bucket = 0
    for _, bound in ipairs({${BUCKETS_MS.join(',')}}) do
      if ms <= bound then break end
      bucket = bucket + 1
    end
    add(field .. ':' .. bucket, 1)
    add(field .. ':ms', ms)
  end
  for field, text in string.gmatch(what, '([%a_]+)@(%d+)') do
    local at = tonumber(text)
    if field == 'waiting' then
      observe('waiting', timestamp, at)
    elseif field == 'duration' then
      observe('duration', processedOn, at)
    elseif field == 'ended' then
      local minute = math.floor(at / 60000)
      local slot = 'ended:' .. minute % ${MINUTES}
      if math.floor(add(slot, 1) / ${MINUTE_SHIFT}) ~= minute then
        redis.call('HSET', tally, stage .. ':' .. slot, string.format('%.0f', minute * ${MINUTE_SHIFT} + 1))
      end
    else
      add(field, 1)
    end
  end
end`

const ENDS: Readonly<Record<string, string>> = { WORKER_LOST: 'lost', WORKER_SHUTDOWN: 'handed_over' }

/** What `entries` add to the tally, as `<stage> <field>@<time> …`; '' for mere progress. */
export function toCount(stage: number, entries: readonly LogEntry[]): string {
  const fields = entries.flatMap(({ type, attempt, at, error }) => {
    if (type === 'active') return [`${attempt === 1 ? 'waiting' : 'again'}@${at}`]
    if (type === 'retrying') return [`${ENDS[error?.code ?? ''] ?? 'retried'}@${at}`]
    if (type === 'completed') return [`duration@${at}`, `ended@${at}`]
    return isTerminal(type) ? [`${type}@${at}`, `ended@${at}`] : []
  })
  // Somebody may have queued a job of a stage that is none.
  const known = Number.isInteger(stage) && stage >= 1 && stage <= 20 ? stage : 0
  return fields.length > 0 ? `${known} ${fields.join(' ')}` : ''
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
