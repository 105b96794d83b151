/**
 * How a job's life is written in Redis. Worker and API meet only here: the worker writes, holding the lease
 * (BullMQ's job lock); the API reads, writes to the log of a job that nobody holds, and marks one that is held. Three
 * scripts make each step atomic:
 *
 * - `RECORD` appends to the log, moves the cursor and announces the step on the queue's event stream. It refuses
 *   a writer without the lease, so a worker that was frozen and thawed cannot write over its successor.
 *   With an end record it also settles the job: the first end record stored is the job's outcome for good.
 * - `CANCEL` marks a job whose attempt is under way, or tells the caller that none is. Between attempts a worker may
 *   hold the lease, but it writes nothing: the cursor alone decides who comes first.
 * - `PLACE` is for events that no write brings.
 *
 * All give each new event its place in the order of its workflow (see order.ts), in that same step.
 *
 * All keys of one queue share REDIS_PREFIX; on Redis Cluster that prefix carries the hash tag.
 */
import { eventId, LOG_CAPACITY, type LogEntry } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import { type JobOrigin, orderArguments, PLACE_EVENTS, workflowName } from './order.ts'
import { toSummary } from './snapshot.ts'
import { COUNT_EVENTS, type CountedJob, toCount } from './tally.ts'

export const QUEUE_NAME = 'workflow-stages'

/** Approximate length of the queue's event stream, BullMQ's own default. */
export const STREAM_LENGTH = 10_000

export interface JournalKeys {
  /** BullMQ's hash of the job; the journal adds `last` (the newest entry), `cursor`, `placed`, `cancel` and `settled`. */
  job(jobId: string): string
  /** BullMQ's lease: the token of the worker that runs the job. */
  lock(jobId: string): string
  /** List of log entries, oldest first. */
  log(jobId: string): string
  /** The end record: the final status document. */
  end(jobId: string): string
  /** Summary of a finished job, as lists show it. */
  brief(jobId: string): string
  /** Order of the events of a user's workflow. */
  order(userId: string, workflowId: string): string
  /** A user's jobs, in the order they were accepted. */
  jobs(userId: string): string
  /** BullMQ's event stream of the queue. */
  events: string
  /** Pub/sub channel on which workers hear of cancel requests. */
  cancels: string
  /** Hash of what has happened to all jobs: see `tally.ts`. */
  tally: string
  /** Hash of the living workers: see `fleet.ts`. */
  workers: string
  /** Any other key of ours, e.g. `own('idem', hash)`. */
  own(...parts: string[]): string
}

export function journalKeys(prefix: string): JournalKeys {
  const base = `${prefix}:${QUEUE_NAME}`
  return {
    job: (id) => `${base}:${id}`,
    lock: (id) => `${base}:${id}:lock`,
    log: (id) => `${base}:${id}:log`,
    end: (id) => `${base}:${id}:end`,
    brief: (id) => `${base}:${id}:brief`,
    order: (userId, workflowId) => `${base}:order:${workflowName(userId, workflowId)}`,
    jobs: (userId) => `${base}:jobs:${userId}`,
    events: `${base}:events`,
    cancels: `${base}:cancels`,
    tally: `${base}:tally`,
    workers: `${base}:workers`,
    own: (...parts) => [base, ...parts].join(':'),
  }
}

/** Outcome of `RECORD`; `moved` comes as `moved:<cursor>` with the cursor that is stored. */
export type RecordReply = 'ok' | 'lost' | 'settled' | 'gone' | 'cancelling' | `moved:${string}`

/**
 * KEYS job, lock, end, log, events, order, jobs, brief, tally
 * ARGV what `orderArguments` gives (5), token ('' = the caller found the job free), expected cursor, new cursor,
 *      log TTL in s, may a cancelling job take this ('1' or ''), end record ('' = none), its summary, TTL of both in s,
 *      progress in percent, where the new entries begin, what `toCount` gives, then every new entry
 *
 * `settled` in the hash says that there was an end record. Before the first line the record itself is looked for: it may
 * be that of an earlier job of the same id, which the queue has dropped.
 *
 * The first command that writes takes no memory. That lets the script finish in a Redis out of memory, which looks at the
 * first one alone: what was accepted may still be settled.
 */
export const RECORD = `${PLACE_EVENTS}${COUNT_EVENTS}
if ARGV[6] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[6] then return 'lost' end
local stored = redis.call('HMGET', KEYS[1], 'timestamp', 'cursor', 'cancel', 'placed', 'settled')
local isBegun = stored[1] and stored[2]
if stored[5] or (not isBegun and redis.call('EXISTS', KEYS[3]) == 1) then return 'settled' end
if not stored[1] then return 'gone' end
if (stored[2] or '') ~= ARGV[7] then return 'moved:' .. (stored[2] or '') end
if stored[3] and ARGV[10] == '' then return 'cancelling' end
local first = tonumber(ARGV[15])
local isKept = redis.call('EXPIRE', KEYS[4], ARGV[9]) == 1
local places, placed = place(stored[4], KEYS[6], KEYS[7], ARGV[1], ARGV[2], ARGV[4], ARGV[5], not stored[2])
if redis.call('RPUSH', KEYS[4], unpack(ARGV, first)) > ${LOG_CAPACITY} then
  redis.call('LTRIM', KEYS[4], -${LOG_CAPACITY}, -1)
end
if not isKept then redis.call('EXPIRE', KEYS[4], ARGV[9]) end
local fields = { 'progress', ARGV[14], 'last', ARGV[#ARGV], 'cursor', ARGV[8], 'placed', placed }
if ARGV[11] ~= '' then
  redis.call('SET', KEYS[3], ARGV[11], 'EX', ARGV[13])
  redis.call('SET', KEYS[8], ARGV[12], 'EX', ARGV[13])
  fields[9], fields[10] = 'settled', 1
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'event', 'progress', 'jobId', ARGV[1],
  'data', '{"prev":"' .. ARGV[7] .. '","entries":[' .. table.concat(ARGV, ',', first) .. ']}',
  'workflow', ARGV[3], 'places', places)
if first > 16 then count(KEYS[9], 16, first - 1) end
return 'ok'`

export const RECORD_KEYS = 9

/** One call of `RECORD`. */
export interface RecordWrite {
  journal: CountedJob
  /** '' = the caller found the job free. */
  token: string
  /** The cursor that must be stored. */
  expected: string
  /** At least one. */
  entries: LogEntry[]
  /** Settles the job. */
  end?: JobSnapshot | null | undefined
  /** Also for a job whose cancelling was asked for. */
  cancelled?: boolean | undefined
  logTtlSeconds: number
  resultTtlSeconds: number
}

/** Keys and arguments of a call of `RECORD`. */
export function recordArguments(keys: JournalKeys, write: RecordWrite): (string | number)[] {
  const { journal, entries, end, resultTtlSeconds } = write
  const job = journal.data
  const id = job.job_id
  const newest = entries.at(-1) as LogEntry
  const counts = toCount(journal, entries)
  return [
    ...[keys.job(id), keys.lock(id), keys.end(id), keys.log(id), keys.events],
    ...[keys.order(job.user_id, job.workflow_id), keys.jobs(job.user_id), keys.brief(id), keys.tally],
    ...orderArguments(job, entries.map(eventId), resultTtlSeconds),
    ...[write.token, write.expected, eventId(newest)],
    ...[end ? resultTtlSeconds : write.logTtlSeconds, write.cancelled ? '1' : ''],
    ...[end ? JSON.stringify(end) : '', end ? JSON.stringify(toSummary(end)) : '', resultTtlSeconds],
    ...[newest.progress, 16 + counts.length, ...counts],
    ...entries.map((entry) => JSON.stringify(entry)),
  ]
}

/** Outcome of `CANCEL`: `free` = no attempt is under way, the caller settles the job with `RECORD`. */
export type CancelReply = 'cancelling' | 'free' | 'settled' | 'gone'

/** KEYS job, lock, end, events, order, jobs; ARGV what `orderArguments` gives (5, without events), now in ms, channel */
export const CANCEL = `${PLACE_EVENTS}
if redis.call('EXISTS', KEYS[3]) == 1 then return 'settled' end
local stored = redis.call('HMGET', KEYS[1], 'timestamp', 'cursor', 'finishedOn', 'last', 'placed')
if not stored[1] then return 'gone' end
if stored[3] then return 'settled' end
local resting = not stored[4] or cjson.decode(stored[4]).type == 'retrying'
if resting or redis.call('EXISTS', KEYS[2]) == 0 then return 'free' end
local mark = '{"after":"' .. (stored[2] or '') .. '","at":' .. ARGV[6] .. '}'
if redis.call('HSETNX', KEYS[1], 'cancel', mark) == 1 then
  local asked = string.sub(stored[2], 1, -2) .. '1'
  local places, placed = place(stored[5], KEYS[5], KEYS[6], ARGV[1], ARGV[2], ARGV[4], asked)
  redis.call('HSET', KEYS[1], 'placed', placed)
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'event', 'cancelling', 'jobId', ARGV[1],
    'workflow', ARGV[3], 'places', places)
end
redis.call('PUBLISH', ARGV[7], ARGV[1])
return 'cancelling'`

export const CANCEL_KEYS = 6

/** Keys and arguments of a call of `CANCEL`. `now` in epoch ms. */
export function cancelArguments(
  keys: JournalKeys,
  job: JobOrigin,
  now: number,
  resultTtlSeconds: number,
): (string | number)[] {
  const id = job.job_id
  return [
    ...[keys.job(id), keys.lock(id), keys.end(id), keys.events],
    ...[keys.order(job.user_id, job.workflow_id), keys.jobs(job.user_id)],
    ...orderArguments(job, [], resultTtlSeconds),
    ...[now, keys.cancels],
  ]
}

/** Outcome of `PLACE`: `known` = it had its place; `gone` = there is no such job (yet). */
export type PlaceReply = 'placed' | 'known' | 'gone'

/**
 * Gives events a place that no write to the log brings: `queued`, and an end that nobody recorded.
 *
 * KEYS job, order, jobs, events; ARGV what `orderArguments` gives (5)
 */
export const PLACE = `${PLACE_EVENTS}
local stored = redis.call('HMGET', KEYS[1], 'timestamp', 'placed')
if not stored[1] then return 'gone' end
if (stored[2] or '') >= ARGV[5] then return 'known' end
local places, placed = place(stored[2], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], 'placed', placed)
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'event', 'placed', 'jobId', ARGV[1],
  'workflow', ARGV[3], 'places', places)
return 'placed'`

export const PLACE_KEYS = 4

/** Keys and arguments of a call of `PLACE`. */
export function placeArguments(
  keys: JournalKeys,
  job: JobOrigin,
  id: string,
  resultTtlSeconds: number,
): (string | number)[] {
  return [
    keys.job(job.job_id),
    ...[keys.order(job.user_id, job.workflow_id), keys.jobs(job.user_id), keys.events],
    ...orderArguments(job, [id], resultTtlSeconds),
  ]
}
