/** The events of a job: types, ids, and the form in which the log stores them. */
import { type Static, Type } from '@sinclair/typebox'

export const JobStatus = Type.Union(
  [
    Type.Literal('queued'),
    Type.Literal('active'),
    Type.Literal('retrying'),
    Type.Literal('cancelling'),
    Type.Literal('completed'),
    Type.Literal('failed'),
    Type.Literal('cancelled'),
  ],
  { title: 'JobStatus' },
)
export type JobStatus = Static<typeof JobStatus>

export const EventType = Type.Union([JobStatus, Type.Literal('progress')], { title: 'EventType' })
export type EventType = Static<typeof EventType>

/** Why an attempt or a job ended without a result. */
export const JobError = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    retryable: Type.Boolean(),
    attempt: Type.Integer({ minimum: 0 }),
    gone: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'with UPSTREAM_GONE: stages whose files their service no longer has',
      }),
    ),
    service_status: Type.Optional(
      Type.Integer({
        description:
          'if the stage service itself reported the failure: the HTTP status of its answer, 200 for an error line',
      }),
    ),
  },
  { title: 'JobError', description: 'why an attempt, or the job, ended without a result' },
)
export type JobError = Static<typeof JobError>

/**
 * One entry of a job's log. Its position is (attempt, seq); `seq` counts from 1 within an attempt. Only the holder of the
 * job's lock appends, so positions never clash. `attempt` counts every start; `max` is the highest number it may reach.
 * A shutdown that interrupts an attempt raises `max`, so no attempt is used up.
 */
export const LogEntry = Type.Object({
  type: EventType,
  attempt: Type.Integer({ minimum: 0 }),
  max: Type.Integer({ minimum: 1 }),
  seq: Type.Integer({ minimum: 0 }),
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  message: Type.String(),
  /** Epoch milliseconds. */
  at: Type.Integer(),
  error: Type.Optional(JobError),
  /** Set if a process without the lock inserted the entry after (attempt, seq); see `eventId`. */
  behind: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(9)])),
})
export type LogEntry = Static<typeof LogEntry>

/** Maximum entries kept per job. Older entries are dropped, and a reader that needs them gets a gap. */
export const LOG_CAPACITY = 512

/** The milestones of one attempt, in percent. */
export const MILESTONE = { taken: 10, called: 20, answered: 80, stored: 100 } as const

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** Whether this status or event is final. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status)
}

/**
 * Event ids are twelve digits: attempt (4), seq (7), and a last digit that is 0 for entries of the worker. It is 1 for a
 * cancel request and 9 for an end that no worker recorded, because other processes insert these after (attempt, seq).
 * Since all ids are equally long, sorting them as strings gives the order of events.
 */
export type EventId = string

export const EVENT_ID_PATTERN = '^[0-9]{12}$'
export const FIRST_ID: EventId = '000000000000'

export function eventId(entry: Pick<LogEntry, 'attempt' | 'seq' | 'behind'>): EventId {
  return `${String(entry.attempt).padStart(4, '0')}${String(entry.seq).padStart(7, '0')}${entry.behind ?? 0}`
}

/**
 * A position in the event order of a workflow is sixteen digits: microseconds by Redis's clock, always later than the
 * previous position.
 */
export const POSITION_PATTERN = '^[0-9]{16}$'

/** Whether `next` directly follows `id` in the same attempt, so that no event can be missing between them. */
export function isNext(id: EventId, next: EventId): boolean {
  return id.slice(0, 4) === next.slice(0, 4) && Number(next) - Number(`${id.slice(0, -1)}0`) === 10
}

/** The status of a job after an event of this type. */
export function statusAfter(type: EventType): JobStatus {
  return type === 'progress' ? 'active' : type
}
