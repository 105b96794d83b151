/** All jobs of a workflow, followed over one connection. */
import { useEffect, useState } from 'preact/hooks'
import type { JobSnapshot, JobSummary } from '../../../contract/job.ts'
import type { JobEventData } from '../../../contract/job-event.ts'
import type { JobPage, Transport } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { type Connecting, keepWatching } from '../api/keep-watching.ts'
import { persist } from '../api/persist.ts'
import { hintText } from '../job/hint.ts'

export interface WatchedJob extends JobSummary {
  message: string
}

export interface WorkflowView {
  /** By id, in the order in which they were started; null until they are known. */
  jobs: ReadonlyMap<string, WatchedJob> | null
  transport: Transport | null
  failure: string
}

export function useWorkflow(id: string): WorkflowView {
  const [view, setView] = useState<WorkflowView>({ jobs: null, transport: null, failure: '' })
  useEffect(() => {
    const leaving = new AbortController()
    const change = (next: (view: WorkflowView) => WorkflowView) => {
      if (!leaving.signal.aborted) setView(next)
    }
    follow(id, leaving.signal, change).catch((error) =>
      change((now) => ({ ...now, failure: tellFailure(error) })),
    )
    return () => leaving.abort()
  }, [id])
  return view
}

type Change = (next: (view: WorkflowView) => WorkflowView) => void

async function follow(id: string, signal: AbortSignal, change: Change): Promise<void> {
  const known = await persist(() => listAll(id), signal)
  change((now) => ({ ...now, jobs: new Map(known.map((job) => [job.job_id, { ...job, message: '' }])) }))
  const onTransport = (transport: Transport) => change((now) => ({ ...now, transport }))
  const open = (connecting: Connecting) => stagecast.watchWorkflow(id, { ...connecting, onTransport })
  for await (const event of keepWatching(open, signal)) {
    if (event.event === 'gap') {
      for (const snapshot of event.data.jobs) change((now) => withSnapshot(now, snapshot))
    } else if (event.event === 'hint') {
      change((now) => withMessage(now, event.data.job_id, hintText(event.data)))
    } else if (event.event !== 'gone') {
      change((now) => withEvent(now, event.data))
      // A job that was started meanwhile: its question is not in its events.
      if (event.event === 'queued' && !known.some(({ job_id }) => job_id === event.data.job_id)) {
        stagecast.status(event.data, { signal }).then(
          ({ data }) => change((now) => withQuestion(now, event.data.job_id, data.research_question)),
          // It is shown without.
          () => {},
        )
      }
    }
  }
}

/** A workflow's jobs, the oldest first. */
async function listAll(id: string): Promise<JobSummary[]> {
  const jobs: JobSummary[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: JobPage = await stagecast.jobs({ workflow_id: id, limit: 100, after })
    jobs.push(...page.jobs)
    after = page.next
  }
  return jobs.reverse()
}

function withEvent(now: WorkflowView, data: JobEventData): WorkflowView {
  const before = now.jobs?.get(data.job_id)
  if (before && isEarlier(data, before)) return now
  const { job_id, stage, workflow_id, status, progress, attempt, message, at } = data
  const over = ['completed', 'failed', 'cancelled'].includes(status)
  const job: WatchedJob = {
    ...(before ?? { max_attempts: attempt, research_question: null, created_at: at, processed_at: null }),
    ...{ job_id, stage, workflow_id, status, progress, attempt, message },
    error: 'error' in data ? data.error : null,
    finished_at: over ? at : null,
  }
  return put(now, job)
}

/** The events come from the beginning, the list is of now: what led there does not turn a job back. */
function isEarlier({ status, attempt, progress }: JobEventData, job: WatchedJob): boolean {
  if (job.finished_at !== null) return status !== job.status
  return attempt < job.attempt || (attempt === job.attempt && progress < job.progress)
}

function withSnapshot(now: WorkflowView, snapshot: JobSnapshot): WorkflowView {
  const { data, cursor: _cursor, result: _result, ...rest } = snapshot
  return put(now, { ...rest, research_question: data.research_question, message: '' })
}

function withMessage(now: WorkflowView, job_id: string, message: string): WorkflowView {
  const job = now.jobs?.get(job_id)
  return job ? put(now, { ...job, message }) : now
}

function withQuestion(now: WorkflowView, job_id: string, research_question: string | null): WorkflowView {
  const job = now.jobs?.get(job_id)
  return job ? put(now, { ...job, research_question }) : now
}

function put(now: WorkflowView, job: WatchedJob): WorkflowView {
  return { ...now, jobs: new Map([...(now.jobs ?? []), [job.job_id, job]]) }
}
