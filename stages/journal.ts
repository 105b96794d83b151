/**
 * How a job's life is written in Redis. Worker and API meet only here: the worker writes, holding the lease
 * (BullMQ's job lock); the API reads, and writes only to jobs nobody holds. Two scripts make each step atomic:
 *
 * - `RECORD` appends to the log, moves the cursor and announces the step on the queue's event stream. It refuses
 *   a writer without the lease, so a worker that was frozen and thawed cannot write over its successor.
 *   With an end record it also settles the job: the first end record stored is the job's outcome for good.
 * - `CANCEL` marks a job whose attempt is under way, or tells the caller that none is. Between attempts a worker may
 *   hold the lease, but it writes nothing: the cursor alone decides who comes first.
 *
 * All keys of one queue share REDIS_PREFIX; on Redis Cluster that prefix carries the hash tag.
 */
export const QUEUE_NAME = 'workflow-stages'

/** Entries of one job that the log keeps; older ones are dropped and a reader is told so. */
export const LOG_CAPACITY = 512

/** Approximate length of the queue's event stream, BullMQ's own default. */
const STREAM_LENGTH = 10_000

export interface JournalKeys {
  /** BullMQ's hash of the job; the journal adds `last` (the newest entry, also shown as `progress`), `cursor` and `cancel`. */
  job(jobId: string): string
  /** BullMQ's lease: the token of the worker that runs the job. */
  lock(jobId: string): string
  /** List of log entries, oldest first. */
  log(jobId: string): string
  /** The end record: the final status document. */
  end(jobId: string): string
  /** BullMQ's event stream of the queue. */
  events: string
  /** Pub/sub channel on which workers hear of cancel requests. */
  cancels: string
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
    events: `${base}:events`,
    cancels: `${base}:cancels`,
    own: (...parts) => [base, ...parts].join(':'),
  }
}

/** Outcome of `RECORD`; `moved` comes as `moved:<cursor>` with the cursor that is stored. */
export type RecordReply = 'ok' | 'lost' | 'settled' | 'gone' | 'cancelling' | `moved:${string}`

/**
 * KEYS job, lock, end, log, events
 * ARGV token ('' = the caller found the job free), expected cursor, new cursor, job id, log TTL in s,
 *      may a cancelling job take this ('1' or ''), end record ('' = none), end TTL in s, last entry, announcement,
 *      then every new entry
 *
 * The HDEL of nothing lets the script finish in a Redis out of memory, which refuses only scripts that begin to
 * write with a command that takes memory: what was accepted may still be settled.
 */
export const RECORD = `
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
if redis.call('EXISTS', KEYS[3]) == 1 then return 'settled' end
local stored = redis.call('HMGET', KEYS[1], 'timestamp', 'cursor', 'cancel')
if not stored[1] then return 'gone' end
if (stored[2] or '') ~= ARGV[2] then return 'moved:' .. (stored[2] or '') end
if stored[3] and ARGV[6] == '' then return 'cancelling' end
redis.call('HDEL', KEYS[1], '')
redis.call('RPUSH', KEYS[4], unpack(ARGV, 11))
redis.call('LTRIM', KEYS[4], -${LOG_CAPACITY}, -1)
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('HSET', KEYS[1], 'progress', ARGV[9], 'last', ARGV[9], 'cursor', ARGV[3])
if ARGV[7] ~= '' then redis.call('SET', KEYS[3], ARGV[7], 'EX', ARGV[8]) end
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'event', 'progress', 'jobId', ARGV[4], 'data', ARGV[10])
return 'ok'`

export const RECORD_KEYS = 5

/** Outcome of `CANCEL`: `free` = no attempt is under way, the caller settles the job with `RECORD`. */
export type CancelReply = 'cancelling' | 'free' | 'settled' | 'gone'

/** KEYS job, lock, end, events; ARGV job id, now in ms, channel */
export const CANCEL = `
if redis.call('EXISTS', KEYS[3]) == 1 then return 'settled' end
local stored = redis.call('HMGET', KEYS[1], 'timestamp', 'cursor', 'finishedOn', 'last')
if not stored[1] then return 'gone' end
if stored[3] then return 'settled' end
local resting = not stored[4] or cjson.decode(stored[4]).type == 'retrying'
if resting or redis.call('EXISTS', KEYS[2]) == 0 then return 'free' end
local mark = '{"after":"' .. (stored[2] or '') .. '","at":' .. ARGV[2] .. '}'
if redis.call('HSETNX', KEYS[1], 'cancel', mark) == 1 then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'event', 'cancelling', 'jobId', ARGV[1])
end
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 'cancelling'`

export const CANCEL_KEYS = 4
