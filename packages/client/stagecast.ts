/** The client: one method per route. */
import type { Stage } from '../../contract/catalogue.ts'
import type { JobSnapshot, JobSummary } from '../../contract/job.ts'
import { Http, type HttpOptions } from './http.ts'
import { pathOf, pathOfWorkflow, search } from './paths.ts'
import { Runs } from './runs.ts'
import { type Signal, type SubmitOptions, submit } from './submit.ts'
import type {
  Accepted,
  ExecuteRequest,
  JobReference,
  WatchedEvent,
  WatchedWorkflowEvent,
  WatchOptions,
} from './types.ts'
import { watch } from './watch.ts'

export interface StagecastOptions extends HttpOptions {}

/** Filters for `jobs`; `after` is the `next` of the previous page. */
export interface JobFilter {
  stage?: number | undefined
  status?: JobSnapshot['status'] | undefined
  workflow_id?: string | undefined
  /** Text in the question, in any case, or the beginning of the id of a job or workflow. */
  search?: string | undefined
  /** For administrators: the jobs of this user. Without it they see those of all users. */
  owner?: string | undefined
  /** Jobs per page, 1 to 100. */
  limit?: number | undefined
  after?: string | undefined
}

export type ListedJob = JobSummary

export interface Ticket {
  ticket: string
  /** An API path that contains the ticket. */
  events_url: string
  /** Epoch ms. */
  expires_at: number
}

export interface JobPage {
  jobs: ListedJob[]
  /** Where the next page begins, or null at the end. */
  next: string | null
}

/**
 * A client of one API. Every method throws a `StagecastError` for an error response, and a `ConnectionError`, which is a
 * `TypeError`, if there was no response.
 */
export class Stagecast {
  /** Workflow runs and their sign-offs. */
  readonly runs: Runs
  private readonly http: Http

  constructor(options: StagecastOptions) {
    this.http = new Http(options)
    this.runs = new Runs(this.http)
  }

  /** Returns the catalogue. */
  async stages(): Promise<Stage[]> {
    return (await this.http.json<{ stages: Stage[] }>('/api/workflow/stages')).stages
  }

  /**
   * Queues a job. Without an `idempotencyKey` it generates one. If the outcome is unknown it repeats the request a few times;
   * the key prevents a second job.
   */
  async execute(stage: number, request: ExecuteRequest, options: SubmitOptions = {}): Promise<Accepted> {
    return submit(this.http, `/api/workflow/stages/${stage}/execute`, request, options)
  }

  /**
   * Runs a failed or cancelled job again, as a new job with the same body whose state has `retry_of`. Keys and repeats work
   * as in `execute`. Throws 409 NOT_RETRYABLE for any other job.
   */
  async retry(job: JobReference, options: SubmitOptions = {}): Promise<Accepted> {
    return submit(this.http, `${pathOf(job)}/retry`, undefined, options)
  }

  /** The state of a job. With `after` and `wait` (0 to 30 s), returns as soon as something is newer than `after`. */
  status(
    job: JobReference,
    { signal, ...query }: { after?: string | undefined; wait?: number | undefined } & Signal = {},
  ): Promise<JobSnapshot> {
    return this.http.json(`${pathOf(job)}/status${search(query)}`, { ...(signal && { signal }) })
  }

  /** Cancels a job: `cancelling` while it still runs. Throws 409 JOB_FINISHED if it has ended in another way. */
  cancel(
    job: JobReference,
    { signal }: Signal = {},
  ): Promise<{ job_id: string; status: 'cancelling' | 'cancelled' }> {
    return this.http.post(`${pathOf(job)}/cancel`, undefined, { ...(signal && { signal }) })
  }

  /** Deletes a finished job with its files. Throws 409 JOB_NOT_FINISHED for one that has not finished. */
  async delete(job: JobReference, { signal }: Signal = {}): Promise<void> {
    await this.http.request(pathOf(job), { method: 'DELETE', ...(signal && { signal }) })
  }

  /** Deletes all your jobs in a workflow with their files, and its runs. */
  async deleteWorkflow(workflowId: string, { signal }: Signal = {}): Promise<void> {
    await this.http.request(pathOfWorkflow(workflowId), { method: 'DELETE', ...(signal && { signal }) })
  }

  /** Your own jobs, newest first. A page may be short, or empty, before the end. */
  jobs(filter: JobFilter = {}, { signal }: Signal = {}): Promise<JobPage> {
    return this.http.json(`/api/workflow/jobs${search({ ...filter })}`, { ...(signal && { signal }) })
  }

  /** A file of a completed job, with its body unread. */
  artifact(job: JobReference, name: string, { signal }: Signal = {}): Promise<Response> {
    const path = `${pathOf(job)}/artifacts/${encodeURIComponent(name)}`
    return this.http.request(path, { ...(signal && { signal }) })
  }

  /** A URL of the job's events for an EventSource, which cannot send a token. */
  ticket(job: JobReference): Promise<Ticket> {
    return this.http.post(`${pathOf(job)}/tickets`)
  }

  /** As `ticket`, for the events of a workflow. */
  workflowTicket(workflowId: string): Promise<Ticket> {
    return this.http.post(`${pathOfWorkflow(workflowId)}/tickets`)
  }

  /** The events of a job up to its terminal one. Reconnects until `signal` is aborted. */
  watch(job: JobReference, options: WatchOptions = {}): AsyncGenerator<WatchedEvent, void, undefined> {
    return watch(this.http, `${pathOf(job)}/events`, options)
  }

  /** The events of all your jobs and runs in a workflow, in one order. It never ends, because more stages may follow. */
  watchWorkflow(
    workflowId: string,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchedWorkflowEvent, void, undefined> {
    return watch(this.http, `${pathOfWorkflow(workflowId)}/events`, options, { endless: true })
  }
}
