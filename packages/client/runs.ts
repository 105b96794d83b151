/** The routes of workflow runs: one method per route. */
import type { PlanStep, Run, RunBody, RunStatus, SignOffBody, WaitingSignOff } from '../../contract/run.ts'
import type { Http } from './http.ts'
import { pathOfWorkflow, search } from './paths.ts'
import { type Signal, type SubmitOptions, submit } from './submit.ts'

/** Identifies a run. The result of `start` and an entry of a list both fit. */
export interface RunReference {
  workflow_id: string
  run_id: string
}

/** The body of a request that starts or plans a run. */
export type RunRequest = RunBody

/** The response to a start: the run is stored. */
export interface AcceptedRun extends Pick<Run, 'run_id' | 'workflow_id' | 'name' | 'status' | 'steps'> {
  success: true
  /** Paths on the API. `events` contains a ticket, and begins with the run. */
  urls: { status: string; events: string; cancel: string }
}

export interface RunPlan {
  success: true
  workflow_id: string
  name: string | null
  steps: PlanStep[]
}

/** Filters for `list`; `after` is the `next` of the previous page. */
export interface RunFilter {
  workflow_id?: string | undefined
  status?: RunStatus | undefined
  /** For administrators: the runs of this user. */
  owner?: string | undefined
  /** Runs per page, 1 to 100. */
  limit?: number | undefined
  after?: string | undefined
}

export interface RunPage {
  runs: Run[]
  /** Where the next page begins, or null at the end. */
  next: string | null
}

/** A decision. `digest` is the one in the step's `sign_off`; a rejection needs a `reason`. */
export type SignOffRequest = SignOffBody

export interface SignOffPage {
  sign_offs: WaitingSignOff[]
  /** Where the next page begins, or null at the end. */
  next: string | null
}

export class Runs {
  private readonly http: Http

  constructor(http: Http) {
    this.http = http
  }

  /** Starts a run. Keys and repeats work as in `execute`. Throws 409 RUN_ACTIVE while another run of the workflow runs. */
  start(workflowId: string, request: RunRequest, options: SubmitOptions = {}): Promise<AcceptedRun> {
    return submit(this.http, pathOfRuns(workflowId), request, options)
  }

  /** Returns what each step of a run would do, and why. Nothing is queued. */
  plan(workflowId: string, request: RunRequest, { signal }: Signal = {}): Promise<RunPlan> {
    return this.http.post(`${pathOfRuns(workflowId)}?plan=true`, request, { ...(signal && { signal }) })
  }

  /** The state of a run. With `after` and `wait` (0 to 30 s), returns as soon as something is newer than `after`. */
  get(
    run: RunReference,
    { signal, ...query }: { after?: string | undefined; wait?: number | undefined } & Signal = {},
  ): Promise<Run> {
    return this.http.json(`${pathOfRun(run)}${search(query)}`, { ...(signal && { signal }) })
  }

  /** Your runs, newest first, of one workflow or of all. A page may be short, or empty, before the end. */
  list({ workflow_id, ...query }: RunFilter = {}, { signal }: Signal = {}): Promise<RunPage> {
    const path = workflow_id === undefined ? '/api/workflow/runs' : pathOfRuns(workflow_id)
    return this.http.json(`${path}${search(query)}`, { ...(signal && { signal }) })
  }

  /** Cancels a run: `cancelling` while a step still runs. Throws 409 RUN_FINISHED if it has ended in another way. */
  cancel(run: RunReference, { signal }: Signal = {}): Promise<Run> {
    return this.http.post(`${pathOfRun(run)}/cancel`, undefined, { ...(signal && { signal }) })
  }

  /** Decides at a gate. Throws 409 CONTENT_CHANGED if `digest` does not belong to the result that waits. */
  signOff(run: RunReference, stage: number, decision: SignOffRequest, { signal }: Signal = {}): Promise<Run> {
    return this.http.post(`${pathOfRun(run)}/steps/${stage}/sign-off`, decision, {
      ...(signal && { signal }),
    })
  }

  /** Lists the steps that wait for your sign-off, the longest wait first. */
  signOffs({
    signal,
    ...query
  }: { limit?: number | undefined; after?: string | undefined } & Signal = {}): Promise<SignOffPage> {
    return this.http.json(`/api/workflow/sign-offs${search(query)}`, { ...(signal && { signal }) })
  }
}

function pathOfRuns(workflowId: string): string {
  return `${pathOfWorkflow(workflowId)}/runs`
}

function pathOfRun({ workflow_id, run_id }: RunReference): string {
  return `${pathOfRuns(workflow_id)}/${encodeURIComponent(run_id)}`
}
