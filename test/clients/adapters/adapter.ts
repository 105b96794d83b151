/** The interface of a client adapter. round.ts uses the whole API through it. */

/** Creates a client of the API at `baseUrl` that sends `token` with each request. */
export type Connect = (options: { baseUrl: string; token: string }) => Adapter

/** Identifies a job. */
export interface Job {
  stage: number
  job_id: string
}

export interface Execute {
  workflow_id: string
  research_question: string
  idempotencyKey: string
}

/** One event, from a page or from a stream. */
export interface Seen {
  id: string
  event: string
  progress: number
  /** Files of the result. Only `completed` has them, and the types must say so. */
  artifacts?: string[]
  /** The error's code. Only `retrying`, `failed` and `cancelled` have it. */
  error?: string
}

/** Identifies a run. */
export interface RunName {
  workflow_id: string
  run_id: string
}

export interface RunState {
  status: string
  cursor: string
  /** `awaiting`: the digest of the result that waits for a sign-off. */
  steps: { stage: number; status: string; awaiting?: string }[]
}

/** An error response, as its type describes it. */
export interface Refusal {
  status: number
  code: string
  detail: string
  /** Paths of the faults in the request. */
  paths?: string[]
}

/**
 * Each method is written against the client's own types, so a document that does not describe the API does not compile.
 * A method throws if the API's response is not the one that its name says.
 */
export interface Adapter {
  stages(): Promise<string[]>
  /** Executes stage 2 with typed options. */
  review(request: Execute & { inputs: { max_results: number; study_types: 'review'[] } }): Promise<Job>
  /** Executes stage 3, which takes any options. */
  proposal(request: Execute): Promise<Job>
  /** Executes stage 2 with a question that is too short. */
  refusedReview(request: Execute): Promise<Refusal>
  /** Returns the state once it is newer than `after`, or after `wait` seconds. */
  status(
    job: Job,
    after?: string,
    wait?: number,
  ): Promise<{ status: string; cursor: string; finished: boolean }>
  /** The events after `after` as one page; absent if the client has no method for it. */
  page?(job: Job, after?: string): Promise<{ events: Seen[]; cursor: string; finished: boolean }>
  /** The stream to its end; absent if the client cannot read streams. */
  watch?(job: Job): AsyncIterable<Seen>
  cancel(job: Job): Promise<'cancelling' | 'cancelled'>
  refusedCancel(job: Job): Promise<Refusal>
  /** The text of a file. */
  artifact(job: Job, name: string): Promise<string>
  /** The events path with a new ticket. */
  ticket(job: Job): Promise<string>
  /** The caller's jobs in a workflow, from all pages. */
  jobs(workflowId: string, limit: number): Promise<{ job_id: string; status: string }[]>
  /** What each step of a run would do, why, and whether it would wait for a person. */
  plan(workflowId: string, stages: number[]): Promise<[action: string, because: string, waits: unknown][]>
  startRun(workflowId: string, stages: number[], idempotencyKey: string): Promise<RunName>
  /** Requests a run that lacks a needed stage. */
  refusedRun(workflowId: string, stages: number[]): Promise<Refusal>
  run(run: RunName, after: string, wait: number): Promise<RunState>
  signOffs(): Promise<(RunName & { stage: number; digest: string })[]>
  approve(run: RunName, stage: number, digest: string): Promise<{ by?: string }>
  /** The workflow's events about runs: the status of each `run`, and the verdict of each `sign_off`. */
  runEvents?(workflowId: string): Promise<string[]>
}
