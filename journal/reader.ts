/** Reads the journal of jobs from Redis, and ends jobs that are not locked. */
import type { Redis } from 'ioredis'
import { NO_SUCH_JOB, ProblemError } from '../contract/errors.ts'
import { eventId, FIRST_ID, type LogEntry } from '../contract/events.ts'
import type { JobData, JobSnapshot, JobSummary } from '../contract/job.ts'
import type { JobEvent } from '../contract/job-event.ts'
import {
  type CancelReply,
  cancel,
  cancelCall,
  type JournalKeys,
  journalKeys,
  type PlaceReply,
  place,
  placeCall,
  record,
  recordCall,
} from './journal.ts'
import type { JobOrigin } from './order.ts'
import { readJobs, type StoredJob, stateReader } from './read-jobs.ts'
import {
  cancellingEntry,
  JOB_FIELDS,
  type JobFields,
  type Journal,
  lastEntry,
  parseJournal,
  toEndRecord,
  toEvents,
  toSnapshot,
  toSummary,
} from './snapshot.ts'

/** A job's state and all its events that can still be replayed. */
export interface JobRecord {
  snapshot: JobSnapshot
  events: JobEvent[]
  /** Approximate size in characters. */
  size: number
}

export interface JournalReader {
  keys: JournalKeys
  /** The state of a job, or null if the job does not exist (any more). */
  snapshot(jobId: string): Promise<JobSnapshot | null>
  /** The state of the job if it belongs to that stage and, unless null, that user; throws 404 otherwise. */
  find(jobId: string, stage: number, userId: string | null): Promise<JobSnapshot>
  /** State and events of several jobs in one round trip, in the given order; null for a job that is gone. */
  records(jobIds: readonly string[]): Promise<(JobRecord | null)[]>
  /** Summaries of several jobs in one round trip, in the given order; null for a job that is gone. */
  summaries(jobIds: readonly string[]): Promise<(JobSummary | null)[]>
  /** Adds an event to the order of its workflow, unless it is there already. */
  place(job: JobOrigin, eventId: string): Promise<PlaceReply>
  /** Adds the `queued` events of several jobs to the orders of their workflows. */
  placeQueued(jobs: readonly JobOrigin[]): Promise<void>
  /** Ends a waiting job as cancelled, or flags a running one for its worker. */
  cancel(job: JobOrigin): Promise<CancelReply | 'cancelled'>
}

export interface JournalOptions {
  redis: Redis
  /** Prefix of all keys. */
  prefix: string
  resultTtlSeconds: number
  /** How long the results of a run's jobs are kept, if longer. */
  workflowTtlSeconds: number
  /** Awaits a command; turns a Redis failure into an error for the client. */
  fromRedis<T>(command: Promise<T>): Promise<T>
}

/** Reads the journal through `redis`. */
export function openJournal(options: JournalOptions): JournalReader {
  const { redis, prefix, resultTtlSeconds, workflowTtlSeconds, fromRedis } = options
  const keys = journalKeys(prefix)
  const stateOf = stateReader(redis, keys)

  const journal: JournalReader = {
    keys,
    async snapshot(jobId) {
      const { fields, end } = await fromRedis(stateOf(jobId))
      if (end) return JSON.parse(end)
      const found = parseJournal(fields)
      return found && toSnapshot(found)
    },
    async find(jobId, stage, userId) {
      return requireOwn(await journal.snapshot(jobId), stage, userId)
    },
    async records(jobIds) {
      return (await fromRedis(readJobs(redis, keys, jobIds))).map(toRecord)
    },
    async summaries(jobIds) {
      const reads = jobIds.map((id) =>
        Promise.all([redis.hmget(keys.job(id), ...JOB_FIELDS), redis.get(keys.summary(id))]),
      )
      return (await fromRedis(Promise.all(reads))).map(([fields, stored]) => summaryOf(fields, stored))
    },
    async place(job, eventId) {
      const [reply = 'gone'] = await place.run(redis, placeCall(keys, [{ job, eventId }], resultTtlSeconds))
      return reply
    },
    async placeQueued(jobs) {
      const events = jobs.map((job) => ({ job, eventId: FIRST_ID }))
      if (events.length > 0) await place.run(redis, placeCall(keys, events, resultTtlSeconds))
    },
    async cancel(job) {
      // A worker may take or release the job between two reads; then try again.
      for (;;) {
        const reply = await fromRedis(cancel.run(redis, cancelCall(keys, job, Date.now(), resultTtlSeconds)))
        if (reply !== 'free') return reply
        const settled = await settleCancelled(job.job_id)
        if (settled) return settled
      }
    },
  }
  return journal

  /** Null if the job changed in the meantime. */
  async function settleCancelled(jobId: string): Promise<'cancelled' | 'gone' | null> {
    const fields = await fromRedis(redis.hmget(keys.job(jobId), ...JOB_FIELDS))
    const journal = parseJournal(fields)
    // Another cancel may have ended the job and removed it from the queue in the meantime.
    if (!journal) return (await fromRedis(redis.exists(keys.end(jobId)))) ? null : 'gone'
    const entry = cancelledEntry(journal)
    const entries = journal.cancel ? [cancellingEntry(lastEntry(journal), journal.cancel), entry] : [entry]
    const ttlSeconds = ttlOf(journal.data, resultTtlSeconds, workflowTtlSeconds)
    const reply = await fromRedis(
      record.run(
        redis,
        recordCall(keys, {
          journal,
          token: '',
          expected: journal.last ? eventId(journal.last) : '',
          entries,
          end: toEndRecord(journal, entry),
          cancelled: true,
          logTtlSeconds: ttlSeconds,
          resultTtlSeconds: ttlSeconds,
        }),
      ),
    )
    return reply === 'ok' ? 'cancelled' : reply === 'gone' ? 'gone' : null
  }
}

/** How long the result of a job is kept, in seconds. */
export function ttlOf({ run_id }: Pick<JobData, 'run_id'>, resultTtl: number, workflowTtl: number): number {
  return run_id ? Math.max(resultTtl, workflowTtl) : resultTtl
}

/** The job if it belongs to that stage and, unless null, that user; throws 404 otherwise. */
export function requireOwn(job: JobSnapshot | null, stage: number, userId: string | null): JobSnapshot {
  if (job?.stage === stage && (userId === null || job.data.user_id === userId)) return job
  throw new ProblemError('JOB_NOT_FOUND', NO_SUCH_JOB)
}

function toRecord({ fields, end, log, size }: StoredJob): JobRecord | null {
  const journal = end ? null : parseJournal(fields)
  const newest = journal?.last ? eventId(journal.last) : ''
  // Entries appended after the hash was read belong to the next read.
  const entries = journal ? log.filter((entry) => eventId(entry) <= newest) : log
  if (!end && !journal) return null
  const snapshot: JobSnapshot = journal ? toSnapshot(journal) : JSON.parse(end as string)
  // A job that waits very long outlives its log, but the hash still has the newest entry.
  if (entries.length === 0 && journal?.last) entries.push(journal.last)
  return { snapshot, events: toEvents(journal, entries, snapshot), size }
}

function summaryOf(fields: JobFields, stored: string | null): JobSummary | null {
  if (stored) return JSON.parse(stored)
  const journal = parseJournal(fields)
  return journal && toSummary(toSnapshot(journal))
}

function cancelledEntry(journal: Journal): LogEntry {
  const { attempt, max, seq, progress } = lastEntry(journal)
  const message = attempt === 0 ? 'cancelled before it was started' : 'cancelled while it waited'
  const error = { code: 'CANCELLED', message, retryable: false, attempt }
  return { type: 'cancelled', attempt, max, seq: seq + 1, progress, message, at: Date.now(), error }
}
