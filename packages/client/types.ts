/** What goes in and comes out of the client, made from the API's own schemas: types only. */
import type { ExecuteBody } from '../../contract/catalogue.ts'
import type { Hint, JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'

/** Names a job. What `execute` gives does, and so does a line of a list. */
export interface JobReference {
  stage: number
  job_id: string
}

/** The body of an execute. */
export type ExecuteRequest = ExecuteBody

/** The answer to an execute: the job is in the queue. */
export interface Accepted extends JobReference {
  success: true
  workflow_id: string
  status: 'queued'
  message: string
  /** Paths on the API; `events` carries a ticket, so that an EventSource can open it as it is. */
  urls: { status: string; events: string; cancel: string }
}

/**
 * What watching gives, in order, each once. Beside the durable events of the API: `gap`, events are no longer kept, and
 * `data` is the whole state instead; `gone`, the job disappeared, the last of all; `hint`, news without a place in the
 * order, such as the position in the queue. Hints and `gone` have no id. `event` tells which: what has a result or an error is
 * known by it.
 */
export type Watched<State, Gone = { job_id: string }> =
  | JobEvent
  | { id: string; event: 'gap'; data: State }
  | { id: null; event: 'gone'; data: Gone }
  | { id: null; event: 'hint'; data: Hint }

/** What watching one job gives. */
export type WatchedEvent = Watched<JobSnapshot>

/** What watching a workflow gives. */
export type WatchedWorkflowEvent = Watched<{ jobs: JobSnapshot[] }, { workflow_id: string }>

export interface WatchOptions {
  /** The id of the last event that is known already; the first one given is behind it. Everything, when left out. */
  after?: string | undefined
  /**
   * A URL or path of the events with a ticket in it, as `urls.events` and `events_url` are, for whoever has no token: none
   * is sent. A function is asked for one at the beginning, and again when the ticket has ended.
   */
  events?: string | (() => string | Promise<string>) | undefined
  /** Ends the watching: the loop throws the reason of the signal. */
  signal?: AbortSignal | undefined
  /**
   * Told how events come from now on: `sse`, a stream; `polling`, something on the way holds the stream back;
   * `waiting`, there is no connection at the moment, another try follows.
   */
  onTransport?: ((transport: Transport) => void) | undefined
}

export type Transport = 'sse' | 'polling' | 'waiting'
