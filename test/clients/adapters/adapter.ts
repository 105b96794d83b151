/** What a client must be able to do, so that one round can be driven through any of them. */

/** Makes a client of the API at `baseUrl` that sends `token` with each request. */
export type Connect = (options: { baseUrl: string; token: string }) => Adapter

/** Names a job. */
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
  /** Files of the result, which `completed` has and nothing else: the types must know that. */
  artifacts?: string[]
  /** The code of the error, which `retrying`, `failed` and `cancelled` have. */
  error?: string
}

/** Names a run. */
export interface RunName {
  workflow_id: string
  run_id: string
}

export interface RunState {
  status: string
  cursor: string
  /** `awaiting` is the digest of what waits for a sign-off. */
  steps: { stage: number; status: string; awaiting?: string }[]
}

/** An answer that is an error, as its type describes it. */
export interface Refusal {
  status: number
  code: string
  detail: string
  /** Where in the request the faults are. */
  paths?: string[]
}

/**
 * Each method is written against the client's own types, so a document that does not describe the API does not compile.
 * A method throws when the API answers otherwise than the method's name says.
 */
export interface Adapter {
  stages(): Promise<string[]>
  /** Stage 2 with options of its own. */
  review(request: Execute & { inputs: { max_results: number; study_types: 'review'[] } }): Promise<Job>
  /** Stage 3, which takes any options. */
  proposal(request: Execute): Promise<Job>
  /** Stage 2 with a question that is too short. */
  refusedReview(request: Execute): Promise<Refusal>
  /** The state, as soon as it is newer than `after`, or after `wait` seconds. */
  status(
    job: Job,
    after?: string,
    wait?: number,
  ): Promise<{ status: string; cursor: string; finished: boolean }>
  /** The events behind `after` as one page; left out where a client has no method for it. */
  page?(job: Job, after?: string): Promise<{ events: Seen[]; cursor: string; finished: boolean }>
  /** The stream, to its end; left out where a client has no way to read one. */
  watch?(job: Job): AsyncIterable<Seen>
  cancel(job: Job): Promise<'cancelling' | 'cancelled'>
  refusedCancel(job: Job): Promise<Refusal>
  /** The text of a file. */
  artifact(job: Job, name: string): Promise<string>
  /** The path that a ticket opens. */
  ticket(job: Job): Promise<string>
  /** Own jobs of a workflow, all pages. */
  jobs(workflowId: string, limit: number): Promise<{ job_id: string; status: string }[]>
  /** What each step of a run would do, why, and whether it would wait for a person. */
  plan(workflowId: string, stages: number[]): Promise<[action: string, because: string, waits: unknown][]>
  startRun(workflowId: string, stages: number[], idempotencyKey: string): Promise<RunName>
  /** A run that lacks a stage. */
  refusedRun(workflowId: string, stages: number[]): Promise<Refusal>
  run(run: RunName, after: string, wait: number): Promise<RunState>
  signOffs(): Promise<(RunName & { stage: number; digest: string })[]>
  approve(run: RunName, stage: number, digest: string): Promise<{ by?: string }>
  /** What the workflow's events say of runs: the status of each `run`, and the verdict of each `sign_off`. */
  runEvents?(workflowId: string): Promise<string[]>
}
