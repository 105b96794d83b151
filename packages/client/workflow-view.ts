/** The view of all jobs in a workflow, which one connection keeps up to date. */
import type { Hint, JobSnapshot, JobSummary } from '../../contract/job.ts'
import type { JobEventData } from '../../contract/job-event.ts'
import type { Run } from '../../contract/run.ts'
import type { Change } from './job-view.ts'
import { type Connecting, keepWatching } from './keep-watching.ts'
import { persist } from './persist.ts'
import type { JobPage, Stagecast } from './stagecast.ts'
import { StagecastError } from './stagecast-error.ts'
import type { Transport, WatchedWorkflowEvent } from './types.ts'

export interface WatchedJob extends JobSummary {
  /** The message of its last event. */
  message: string
  /** What it is waiting for. */
  hint: Hint | null
}

export interface WorkflowView {
  /** By ID, in the order they were started; null until known. */
  jobs: ReadonlyMap<string, WatchedJob> | null
  /** Its last runs, newest first; null until known. */
  runs: readonly Run[] | null
  /** How events arrive; null before the first connection. */
  transport: Transport | null
}

export const NO_WORKFLOW: WorkflowView = { jobs: null, runs: null, transport: null }

/** How many runs are kept up to date. */
const RUNS = 10

/** Follows a workflow, which never ends. Throws an error that a retry cannot fix, or the reason of `signal`. */
export async function followWorkflow(
  client: Stagecast,
  id: string,
  signal: AbortSignal,
  change: Change<WorkflowView>,
): Promise<void> {
  const known = await persist(() => listAll(client, id, signal), signal)
  change((now) => ({
    ...now,
    jobs: new Map(known.map((job) => [job.job_id, { ...job, message: '', hint: null }])),
  }))
  const lookAtRuns = async () => {
    const runs = await persist(() => listRuns(client, id, signal), signal)
    change((now) => ({ ...now, runs }))
  }
  await lookAtRuns()
  const refreshRuns = oneAtATime(lookAtRuns)
  const onTransport = (transport: Transport) => change((now) => ({ ...now, transport }))
  const open = (connecting: Connecting) => client.watchWorkflow(id, connecting)
  for await (const event of keepWatching(open, signal, { onTransport })) {
    if (changesRun(event)) refreshRuns()
    if (event.event === 'gap') {
      for (const snapshot of event.data.jobs) change((now) => withSnapshot(now, snapshot))
    } else if (event.event === 'hint') {
      change((now) => withHint(now, event.data))
    } else if (event.event !== 'gone' && event.event !== 'run' && event.event !== 'sign_off') {
      change((now) => withEvent(now, event.data))
      // The last event has only the time at which it was reported; the status also has the time at which the attempt started.
      if (isOver(event.data.status))
        client.status(event.data, { signal }).then(
          (snapshot) => change((now) => withTimes(now, snapshot)),
          () => {},
        )
      // A new job: its events do not contain its question.
      if (event.event === 'queued' && !known.some(({ job_id }) => job_id === event.data.job_id)) {
        client.status(event.data, { signal }).then(
          ({ data }) => change((now) => withQuestion(now, event.data.job_id, data.research_question)),
          // Show the job without its question.
          () => {},
        )
      }
    }
  }
}

/** Whether an event changes the state of a run. Progress of a job changes only the job. */
function changesRun({ event, data }: WatchedWorkflowEvent): boolean {
  if (event === 'run' || event === 'sign_off' || event === 'gap') return true
  return 'run_id' in data && event !== 'progress'
}

/** Returns a function that calls `read`. Any number of calls during a read cause one more read after it. */
function oneAtATime(read: () => Promise<void>): () => void {
  let reading = false
  let again = false
  return function start() {
    again = reading
    if (reading) return
    reading = true
    read()
      // An error that a retry cannot fix ends the stream too, which reports it.
      .catch(() => {})
      .finally(() => {
        reading = false
        if (again) start()
      })
  }
}

async function listRuns(client: Stagecast, id: string, signal: AbortSignal): Promise<Run[]> {
  try {
    return (await client.runs.list({ workflow_id: id, limit: RUNS }, { signal })).runs
  } catch (error) {
    // An API of an earlier release has no runs.
    if (error instanceof StagecastError && error.status === 404) return []
    throw error
  }
}

/** Lists a workflow's jobs, oldest first. */
async function listAll(client: Stagecast, id: string, signal: AbortSignal): Promise<JobSummary[]> {
  const jobs: JobSummary[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: JobPage = await client.jobs({ workflow_id: id, limit: 100, after }, { signal })
    jobs.push(...page.jobs)
    after = page.next
  }
  return jobs.reverse()
}

function withEvent(now: WorkflowView, data: JobEventData): WorkflowView {
  const before = now.jobs?.get(data.job_id)
  if (before && isEarlier(data, before)) return now
  const { job_id, stage, workflow_id, status, progress, attempt, message, at } = data
  const job: WatchedJob = {
    ...(before ?? { max_attempts: attempt, research_question: null, created_at: at }),
    job_id,
    stage,
    workflow_id,
    status,
    progress,
    attempt,
    message,
    hint: null,
    processed_at: before?.processed_at ?? (status === 'active' ? at : null),
    error: 'error' in data ? data.error : null,
    finished_at: isOver(status) ? at : null,
  }
  return put(now, job)
}

/** Events replay from the beginning, but the list is current, so an older event must not reset a job. */
function isEarlier({ status, attempt, progress }: JobEventData, job: WatchedJob): boolean {
  if (job.finished_at !== null) return status !== job.status
  return attempt < job.attempt || (attempt === job.attempt && progress < job.progress)
}

function withSnapshot(now: WorkflowView, snapshot: JobSnapshot): WorkflowView {
  const { data, cursor: _cursor, result: _result, ...rest } = snapshot
  return put(now, { ...rest, research_question: data.research_question, message: '', hint: null })
}

function withTimes(now: WorkflowView, { job_id, processed_at, finished_at }: JobSnapshot): WorkflowView {
  const job = now.jobs?.get(job_id)
  return job ? put(now, { ...job, processed_at, finished_at }) : now
}

function isOver(status: string): boolean {
  return ['completed', 'failed', 'cancelled'].includes(status)
}

function withHint(now: WorkflowView, hint: Hint): WorkflowView {
  const job = now.jobs?.get(hint.job_id)
  return job ? put(now, { ...job, hint }) : now
}

function withQuestion(now: WorkflowView, job_id: string, research_question: string | null): WorkflowView {
  const job = now.jobs?.get(job_id)
  return job ? put(now, { ...job, research_question }) : now
}

function put(now: WorkflowView, job: WatchedJob): WorkflowView {
  return { ...now, jobs: new Map([...(now.jobs ?? []), [job.job_id, job]]) }
}
