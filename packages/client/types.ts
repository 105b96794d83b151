/** The client's input and output types, derived from the API's schemas. */
import type { ExecuteBody } from '../../contract/catalogue.ts'
import type { Hint, JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'
import type { RunEventData, SignOffEventData } from '../../contract/run.ts'

/** Identifies a job. The result of `execute` and an entry of a list both fit. */
export interface JobReference {
  stage: number
  job_id: string
}

/** The body of an execute request. */
export type ExecuteRequest = ExecuteBody

/** The response to an execute: the job is queued. */
export interface Accepted extends JobReference {
  success: true
  workflow_id: string
  status: 'queued'
  message: string
  /** Paths on the API. `events` contains a ticket, so an EventSource can open it directly. */
  urls: { status: string; events: string; cancel: string }
}

/**
 * What watching yields: each of the API's events once and in order, and three more types. `gap` means that events are no
 * longer kept; `data` is the whole state instead. `gone` means that the job disappeared; it is the last event. `hint` says
 * what a waiting job waits for, such as its queue position. Hints and `gone` have no ID. Check `event` to narrow the type to
 * one with a result or an error.
 */
export type Watched<State, Gone = { job_id: string }> =
  | JobEvent
  | { id: string; event: 'gap'; data: State }
  | { id: null; event: 'gone'; data: Gone }
  | { id: null; event: 'hint'; data: Hint }

/** What watching a job yields. */
export type WatchedEvent = Watched<JobSnapshot>

/** What watching a workflow yields: the events of its jobs, and those of its runs. */
export type WatchedWorkflowEvent =
  | Watched<{ jobs: JobSnapshot[] }, { workflow_id: string }>
  | { id: string; event: 'run'; data: RunEventData }
  | { id: string; event: 'sign_off'; data: SignOffEventData }

export interface WatchOptions {
  /** The ID of the last event you know; watching resumes after it. Leave it out to get everything. */
  after?: string | undefined
  /**
   * A URL or path of the events that contains a ticket, such as `urls.events` or `events_url`. The client then sends no
   * token. A function is called at the start, and again when the ticket has expired.
   */
  events?: string | (() => string | Promise<string>) | undefined
  /** Stops watching: the loop throws the signal's reason. */
  signal?: AbortSignal | undefined
  /**
   * Called when the way events arrive changes. `sse`: in a stream. `polling`: in pages, because a proxy holds the stream back
   * or the API has no room for it. `waiting`: not at all; the connection is lost, and a retry follows.
   */
  onTransport?: ((transport: Transport) => void) | undefined
}

export type Transport = 'sse' | 'polling' | 'waiting'
