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
import { createHash } from 'node:crypto'
import { eventId, LOG_CAPACITY, type LogEntry } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import { type JobOrigin, ORDER_CONSTANTS, orderCall, workflowName } from './order.ts'
import { type Call, loadScript } from './scripts.ts'
import { toSummary } from './snapshot.ts'
import { type CountedJob, toCount } from './tally.ts'

export const QUEUE_NAME = 'workflow-stages'

/** Approximate length of the queue's event stream, BullMQ's own default. */
export const STREAM_LENGTH = 10_000

/** How long the key of a job is remembered after its end, in seconds, or for as long as its result. */
const KEY_TTL_SECONDS = 86_400

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
  /** Turns of the users' jobs: see `reserve.ts`. */
  turns: string
  /** Jobs of a user that have not started yet, by turn. The key holds a digest of the user. */
  queued(userId: string): string
  /** Jobs whose adding is under way. */
  adding: string
  /** What the Idempotency-Key of a job stands for. */
  asked(jobId: string): string
  /** Any other key of ours, e.g. `own('ticket-key')`. */
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
    turns: `${base}:turns`,
    queued: (userId) => `${base}:queued:${digest(userId)}`,
    adding: `${base}:adding`,
    asked: (id) => `${base}:asked:${id}`,
    own: (...parts) => [base, ...parts].join(':'),
  }
}

/** Names a user where his own name must not stand. A job put into the queue by hand may hold anything. */
export function digest(text: string): string {
  return createHash('sha256').update(String(text)).digest('base64url')
}

/** Outcome of `record`; `moved` comes as `moved:<cursor>` with the cursor that is stored. */
export type RecordReply = 'ok' | 'lost' | 'settled' | 'gone' | 'cancelling' | `moved:${string}`

const CONSTANTS = { ...ORDER_CONSTANTS, LOG_CAPACITY, STREAM_LENGTH }

export const record = loadScript<RecordReply>('record', CONSTANTS)

/** One call of `record`. */
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

export function recordCall(keys: JournalKeys, write: RecordWrite): Call {
  const { journal, entries, end, resultTtlSeconds } = write
  const job = journal.data
  const id = job.job_id
  const newest = entries.at(-1) as LogEntry
  const { leastEnded, counts } = toCount(journal, entries)
  return {
    ...orderCall(keys, job, resultTtlSeconds),
    job: keys.job(id),
    lock: keys.lock(id),
    outcome: keys.end(id),
    log: keys.log(id),
    events: keys.events,
    summary: keys.brief(id),
    tally: keys.tally,
    turns: keys.turns,
    queued: keys.queued(job.user_id),
    asked: keys.asked(id),
    eventIds: entries.map(eventId).join(' '),
    token: write.token,
    expected: write.expected,
    cursor: eventId(newest),
    logTtl: end ? resultTtlSeconds : write.logTtlSeconds,
    cancelled: write.cancelled ? '1' : '',
    newOutcome: end ? JSON.stringify(end) : '',
    newSummary: end ? JSON.stringify(toSummary(end)) : '',
    outcomeTtl: resultTtlSeconds,
    askedTtl: Math.max(KEY_TTL_SECONDS, resultTtlSeconds),
    progress: newest.progress,
    leastEnded,
    counts: counts.length,
    rest: [...counts.flat(), ...entries.map((entry) => JSON.stringify(entry))],
  }
}

/** Outcome of `cancel`: `free` = no attempt is under way, the caller settles the job with `record`. */
export type CancelReply = 'cancelling' | 'free' | 'settled' | 'gone'

export const cancel = loadScript<CancelReply>('cancel', CONSTANTS)

/** `now` in epoch ms. */
export function cancelCall(keys: JournalKeys, job: JobOrigin, now: number, resultTtlSeconds: number): Call {
  const id = job.job_id
  return {
    ...orderCall(keys, job, resultTtlSeconds),
    job: keys.job(id),
    lock: keys.lock(id),
    outcome: keys.end(id),
    events: keys.events,
    now,
    channel: keys.cancels,
  }
}

/** Outcome of `place`: `known` = it had its place; `gone` = there is no such job (yet). */
export type PlaceReply = 'placed' | 'known' | 'gone'

export const place = loadScript<PlaceReply>('place', CONSTANTS)

export function placeCall(
  keys: JournalKeys,
  job: JobOrigin,
  eventId: string,
  resultTtlSeconds: number,
): Call {
  return {
    ...orderCall(keys, job, resultTtlSeconds),
    job: keys.job(job.job_id),
    events: keys.events,
    adding: keys.adding,
    asked: keys.asked(job.job_id),
    user: digest(job.user_id),
    eventId,
  }
}
