/**
 * The journal of jobs in Redis, where worker and API meet. The worker writes while it holds the lock (BullMQ's job lock).
 * The API reads, appends to the log of a job that is not locked, and flags one that is. Three scripts make each step
 * atomic:
 *
 * - `RECORD` appends to the log, moves the cursor and announces the step on the queue's event stream. It rejects a writer
 *   without the lock, so a worker that was frozen and thawed cannot overwrite its successor. If it stores an outcome, the
 *   job has ended: the first outcome stored is final.
 * - `CANCEL` flags a job with a running attempt, or replies that none is running. Between attempts a worker may
 *   hold the lock, but it writes nothing; the cursor decides who wins.
 * - `PLACE` adds events that were not appended to the log to the order of their workflow.
 *
 * `RECORD` and `CANCEL` also add the new events to the order of the workflow (see order.ts).
 *
 * All keys of a queue share REDIS_PREFIX; on Redis Cluster the prefix contains the hash tag.
 */
import { eventId, LOG_CAPACITY, type LogEntry } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import { userDigest } from './ids.ts'
import { type JobOrigin, ORDER_CONSTANTS, orderCall, placesTtl, workflowName } from './order.ts'
import { type Call, loadScript } from './scripts.ts'
import { toSummary } from './snapshot.ts'
import { type CountedJob, toCount } from './tally.ts'

export const QUEUE_NAME = 'workflow-stages'

/** Approximate length of the queue's event stream; BullMQ's default. */
export const STREAM_LENGTH = 10_000

/** How long an Idempotency-Key is remembered after the job's end, in seconds, or as long as the result if that is longer. */
const KEY_TTL_SECONDS = 86_400

export interface JournalKeys {
  /** BullMQ's hash of the job; the journal adds `last` (the newest entry), `cursor`, `placed`, `cancel` and `settled`. */
  job(jobId: string): string
  /** BullMQ's lock: the token of the worker that runs the job. */
  lock(jobId: string): string
  /** List of log entries, oldest first. */
  log(jobId: string): string
  /** The outcome: the final status document. */
  end(jobId: string): string
  /** Summary of a finished job for lists. */
  summary(jobId: string): string
  /** Event order of a user's workflow. */
  order(userId: string, workflowId: string): string
  /** A user's jobs in order of acceptance. */
  jobs(userId: string): string
  /** The jobs of all users, in order of acceptance. */
  everybody: string
  /** BullMQ's event stream of the queue. */
  events: string
  /** Pub/sub channel that notifies workers of cancel requests. */
  cancels: string
  /** Hash of counts of all jobs: see `tally.ts`. */
  tally: string
  /** Hash of the last day by minute: see `history.ts`. */
  history: string
  /** Hash of the live workers: see `fleet.ts`. */
  workers: string
  /** Turns of the users' jobs: see `reserve.ts`. */
  turns: string
  /** A user's jobs that have not started, by turn. The key contains a digest of the user id. */
  queued(userId: string): string
  /** For each worker, the first of the stage's jobs that it has delayed, by priority: see `reserve.ts`. */
  fronts(stage: number): string
  /** Jobs that are being added. */
  adding: string
  /** The request behind a job's Idempotency-Key. */
  asked(jobId: string): string
  /** How long the newest completed jobs of a stage took, from being accepted to their end, in ms. */
  took(stage: number): string
  /** Any other key under the prefix, e.g. `own('ticket-key')`. */
  own(...parts: string[]): string
}

export function journalKeys(prefix: string): JournalKeys {
  const base = `${prefix}:${QUEUE_NAME}`
  return {
    job: (id) => `${base}:${id}`,
    lock: (id) => `${base}:${id}:lock`,
    log: (id) => `${base}:${id}:log`,
    end: (id) => `${base}:${id}:end`,
    summary: (id) => `${base}:${id}:summary`,
    order: (userId, workflowId) => `${base}:order:${workflowName(userId, workflowId)}`,
    jobs: (userId) => `${base}:jobs:${userDigest(userId)}`,
    everybody: `${base}:everybody`,
    events: `${base}:events`,
    cancels: `${base}:cancels`,
    tally: `${base}:tally`,
    history: `${base}:history`,
    workers: `${base}:workers`,
    turns: `${base}:turns`,
    queued: (userId) => `${base}:queued:${userDigest(userId)}`,
    adding: `${base}:adding`,
    fronts: (stage) => `${base}:fronts:${stage}`,
    asked: (id) => `${base}:asked:${id}`,
    took: (stage) => `${base}:took:${stage}`,
    own: (...parts) => [base, ...parts].join(':'),
  }
}

/** Reply of `record`; `moved:<cursor>` contains the stored cursor. */
export type RecordReply = 'ok' | 'lost' | 'settled' | 'gone' | 'cancelling' | `moved:${string}`

/** How many durations are kept for each stage. */
const SAMPLES = 100

/** Jobs that the list of all users' jobs keeps; older ones can still be read by id. */
const ALL_CAPACITY = 100_000
/** How long that list is kept after the last job was added, in seconds: as long as a job may wait. */
const EVERYBODY_TTL_SECONDS = 30 * 86_400

const CONSTANTS = { ...ORDER_CONSTANTS, ALL_CAPACITY, LOG_CAPACITY, STREAM_LENGTH, SAMPLES }

export const record = loadScript<RecordReply>('record', CONSTANTS)

/** One call of `record`. */
export interface RecordWrite {
  journal: CountedJob
  /** Lock token; '' = the job is not locked. */
  token: string
  /** The cursor that the job must have, else the write is rejected. */
  expected: string
  /** At least one. */
  entries: LogEntry[]
  /** The outcome, which ends the job. */
  end?: JobSnapshot | null | undefined
  /** Whether to write even if a cancel was requested. */
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
    job: keys.job(id),
    lock: keys.lock(id),
    outcome: keys.end(id),
    log: keys.log(id),
    events: keys.events,
    summary: keys.summary(id),
    tally: keys.tally,
    turns: keys.turns,
    queued: keys.queued(job.user_id),
    asked: keys.asked(id),
    took: keys.took(job.stage),
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
    tookMs: end?.status === 'completed' ? Math.max(0, newest.at - end.created_at) : '',
    leastEnded,
    counts: counts.length,
    rest: [...counts.flat(), ...entries.map((entry) => JSON.stringify(entry))],
    // The spread comes last: V8 takes a hundred times as long to add properties after a spread.
    ...orderCall(keys, job, resultTtlSeconds),
  }
}

/** Reply of `cancel`. `free`: no attempt is running, so the caller ends the job with `record`. */
export type CancelReply = 'cancelling' | 'free' | 'settled' | 'gone'

export const cancel = loadScript<CancelReply>('cancel', CONSTANTS)

/** `now` in epoch ms. */
export function cancelCall(keys: JournalKeys, job: JobOrigin, now: number, resultTtlSeconds: number): Call {
  const id = job.job_id
  return {
    job: keys.job(id),
    lock: keys.lock(id),
    outcome: keys.end(id),
    events: keys.events,
    now,
    channel: keys.cancels,
    ...orderCall(keys, job, resultTtlSeconds),
  }
}

/** Reply of `place`. `known`: the event already had a position. `gone`: the job does not exist (yet). */
export type PlaceReply = 'placed' | 'known' | 'gone'

export const place = loadScript<PlaceReply[]>('place', CONSTANTS)

/** An event to add to the order of its workflow. */
export interface Unplaced {
  job: JobOrigin
  eventId: string
}

export function placeCall(keys: JournalKeys, events: readonly Unplaced[], resultTtlSeconds: number): Call {
  return {
    events: keys.events,
    adding: keys.adding,
    everybody: keys.everybody,
    placesTtl: placesTtl(resultTtlSeconds),
    everybodyTtl: EVERYBODY_TTL_SECONDS,
    prefix: keys.job(''),
    rest: events.flatMap(({ job: { job_id, stage, workflow_id, user_id }, eventId }) => [
      job_id,
      stage,
      // A manually queued job may contain anything.
      String(workflow_id).toLowerCase(),
      userDigest(user_id),
      eventId,
    ]),
  }
}
