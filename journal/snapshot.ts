/** Converts a job's stored data to the state and the events that clients see. All functions are pure. */
import {
  EVENT_ID_PATTERN,
  type EventId,
  eventId,
  FIRST_ID,
  isNext,
  isTerminal,
  type LogEntry,
  statusAfter,
} from '../contract/events.ts'
import type { JobData, JobSnapshot, JobSummary } from '../contract/job.ts'
import type { JobEvent } from '../contract/job-event.ts'

/** The fields of the job's hash that are read, in this order. */
export const JOB_FIELDS = [
  'data',
  'opts',
  'timestamp',
  'processedOn',
  'finishedOn',
  'last',
  'cancel',
] as const

/** The values of `JOB_FIELDS`; null if absent. */
export type JobFields = (string | null)[]

/** A cancel request as stored by `CANCEL`: the cursor before it, and its time. */
export interface CancelMark {
  after: EventId | ''
  at: number
}

/** The stored data of one job. */
export interface Journal {
  data: JobData
  /** Attempts granted when the job was queued. */
  maxAttempts: number
  createdAt: number
  processedAt: number | null
  /** The newest log entry, null before the first attempt. */
  last: LogEntry | null
  cancel: CancelMark | null
  /** When the queue ended the job without an outcome (e.g. an operator did), else null. */
  abandonedAt: number | null
}

/** Null if the hash is gone, or belongs to a job whose result has expired. */
export function parseJournal(fields: JobFields): Journal | null {
  const [data, opts, timestamp, processedOn, finishedOn, newest, cancel] = fields
  if (!data || !timestamp) return null
  const last = newest ? (JSON.parse(newest) as LogEntry) : null
  if (last && isTerminal(last.type)) return null
  return {
    data: JSON.parse(data),
    maxAttempts: attemptsOf(opts),
    createdAt: Number(timestamp),
    processedAt: processedOn ? Number(processedOn) : null,
    last,
    cancel: cancel ? JSON.parse(cancel) : null,
    abandonedAt: finishedOn ? Number(finishedOn) : null,
  }
}

/** Caches the parsed options, because most jobs of a queue have the same ones. */
let latest = { opts: '', attempts: 1 }

function attemptsOf(opts: string | null | undefined): number {
  if (!opts) return 1
  if (opts !== latest.opts) latest = { opts, attempts: JSON.parse(opts).attempts || 1 }
  return latest.attempts
}

/** The state of a job without an outcome. */
export function toSnapshot(journal: Journal): JobSnapshot {
  const { data, last } = journal
  const newest = newestEntry(journal)
  const status = statusAfter(newest.type)
  return {
    job_id: data.job_id,
    stage: data.stage,
    workflow_id: data.workflow_id,
    status,
    progress: newest.progress,
    attempt: newest.attempt,
    max_attempts: newest.max,
    cursor: eventId(newest),
    data: {
      stage: data.stage,
      workflow_id: data.workflow_id,
      // A manually queued job may contain any data, and is shown all the same.
      research_question: typeof data.research_question === 'string' ? data.research_question : null,
      user_id: data.user_id,
      inputs: Object(data.inputs) === data.inputs ? data.inputs : {},
    },
    result: null,
    error: newest.error ?? null,
    created_at: journal.createdAt,
    // BullMQ reads the worker's clock before it takes the job, so this time may be earlier than the time it was added.
    processed_at:
      last && journal.processedAt !== null ? Math.max(journal.processedAt, journal.createdAt) : null,
    finished_at: journal.abandonedAt,
    ...(data.run_id && { run_id: data.run_id }),
    ...(data.retry_of && { retry_of: data.retry_of }),
  }
}

/** The outcome: the final state after the terminal `entry`. */
export function toEndRecord(
  journal: Journal,
  entry: LogEntry,
  result: JobSnapshot['result'] = null,
): JobSnapshot {
  const state = toSnapshot({ ...journal, last: entry, cancel: null, abandonedAt: null })
  return { ...state, result, finished_at: entry.at }
}

/** The summary of a job for lists. */
export function toSummary(snapshot: JobSnapshot): JobSummary {
  const { cursor: _, data, result: __, ...rest } = snapshot
  return { research_question: data.research_question, owner: data.user_id, ...rest }
}

/**
 * All events of a job that can still be replayed, in order. `log` is the stored list; `snapshot` provides the fields that
 * all events share, and the result. The first event is `queued` unless the log has dropped its start.
 */
export function toEvents(journal: Journal | null, log: LogEntry[], snapshot: JobSnapshot): JobEvent[] {
  const entries = [...log]
  const first = log[0]
  if (!first || (first.attempt <= 1 && first.seq <= 1)) entries.unshift(queuedEntry(snapshot))
  if (journal) entries.push(...unlogged(journal))
  return entries.map((entry) => toEvent(entry, snapshot))
}

/** The fields that all events of a job share, and the result of the last one. */
type EventSource = Pick<JobSnapshot, 'job_id' | 'stage' | 'workflow_id' | 'run_id'> &
  Partial<Pick<JobSnapshot, 'result'>>

/** Converts an entry to an event; its type decides whether it carries an error or the result. */
export function toEvent(entry: LogEntry, job: EventSource): JobEvent {
  const data: Record<string, unknown> = {
    job_id: job.job_id,
    stage: job.stage,
    workflow_id: job.workflow_id,
    status: statusAfter(entry.type),
    progress: entry.progress,
    attempt: entry.attempt,
    message: entry.message,
    at: entry.at,
  }
  if (job.run_id) data.run_id = job.run_id
  if (entry.error) data.error = entry.error
  if (entry.type === 'completed' && job.result) data.result = job.result
  return { id: eventId(entry), event: entry.type, data } as unknown as JobEvent
}

/** The entry of a cancel request, after the last entry `last`. */
export function cancellingEntry(last: LogEntry, mark: CancelMark): LogEntry {
  const { error: _, ...place } = last
  return { ...place, type: 'cancelling', behind: 1, message: 'a cancel was requested', at: mark.at }
}

/** The implicit `queued` entry before the first entry of the log. */
function queuedEntry(job: { stage: number; max_attempts: number; created_at: number }): LogEntry {
  const message = `stage ${job.stage} is queued`
  return {
    type: 'queued',
    attempt: 0,
    max: job.max_attempts,
    seq: 0,
    progress: 0,
    message,
    at: job.created_at,
  }
}

function newestEntry(journal: Journal): LogEntry {
  return unlogged(journal).at(-1) ?? lastEntry(journal)
}

/** The newest log entry, or `queued` before the first attempt. */
export function lastEntry({ last, data, maxAttempts, createdAt }: Journal): LogEntry {
  return last ?? queuedEntry({ stage: data.stage, max_attempts: maxAttempts, created_at: createdAt })
}

/** Events derived from the job's hash instead of its log: a cancel request, an end that no worker recorded. */
function unlogged(journal: Journal): LogEntry[] {
  const { cancel, abandonedAt } = journal
  const last = lastEntry(journal)
  const entries: LogEntry[] = []
  if (cancel) entries.push(cancellingEntry(last, cancel))
  if (abandonedAt !== null) {
    // An operator ended the job with some tool, or BullMQ did because a worker could not record a fault.
    const message =
      'the queue ended the job without a recorded outcome: an operator did, or a worker failed and logged why'
    const error = { code: 'JOB_ABANDONED', message, retryable: false, attempt: last.attempt }
    entries.push({ ...last, type: 'failed', behind: 9, message, at: abandonedAt, error })
  }
  return entries
}

/** Where a client resumes after a gap. The end of a job is always sent as its own event. */
export function cursorBehindGap(snapshot: JobSnapshot, events: JobEvent[]): EventId {
  return isTerminal(snapshot.status) ? (events.at(-2)?.id ?? FIRST_ID) : snapshot.cursor
}

const ID = new RegExp(EVENT_ID_PATTERN)

/** Whether `events` contains everything after `cursor`; '' is before the first event. */
export function isReplayable(cursor: string, events: JobEvent[]): boolean {
  const first = events[0]
  const last = events.at(-1)
  if (!first || !last) return true
  if (cursor === '') return first.id === FIRST_ID
  // Not a valid id, or ahead of the newest event because Redis lost data.
  if (!ID.test(cursor) || cursor > last.id) return false
  return cursor >= first.id || isNext(cursor, first.id)
}
