/** One job, followed live: what is known of it, kept up to date until it ends or the page is left. */
import { useEffect, useState } from 'preact/hooks'
import type { JobError, JobStatus } from '../../../contract/events.ts'
import type { JobResult, JobSnapshot } from '../../../contract/job.ts'
import type { JobEvent } from '../../../contract/job-event.ts'
import type { JobReference, Transport } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { keepWatching } from '../api/keep-watching.ts'
import { persist } from '../api/persist.ts'
import { hintText } from './hint.ts'

export interface JobView {
  /** Null until it has been fetched once. */
  snapshot: JobSnapshot | null
  status: JobStatus
  progress: number
  attempt: number
  message: string
  steps: readonly JobEvent[]
  /** Earlier steps are no longer kept. */
  gap: boolean
  error: JobError | null
  result: JobResult | null
  /** What the server says meanwhile, e.g. that no worker is there; '' when nothing. */
  hint: string
  transport: Transport | null
  /** Why it cannot be followed any more; '' while it can. */
  failure: string
}

const NOTHING: JobView = {
  snapshot: null,
  status: 'queued',
  progress: 0,
  attempt: 0,
  message: '',
  steps: [],
  gap: false,
  error: null,
  result: null,
  hint: '',
  transport: null,
  failure: '',
}

export function useJob(stage: number, job_id: string): JobView {
  const [view, setView] = useState(NOTHING)
  useEffect(() => {
    const leaving = new AbortController()
    const change = (next: (view: JobView) => JobView) => {
      if (!leaving.signal.aborted) setView(next)
    }
    follow({ stage, job_id }, leaving.signal, change).catch((error) =>
      change((now) => ({ ...now, failure: tellFailure(error) })),
    )
    return () => leaving.abort()
  }, [stage, job_id])
  return view
}

type Change = (next: (view: JobView) => JobView) => void

async function follow(job: JobReference, signal: AbortSignal, change: Change): Promise<void> {
  const look = async () => {
    const snapshot = await persist(() => stagecast.status(job, { signal }), signal)
    change((now) => withSnapshot(now, snapshot))
  }
  await look()
  const onTransport = (transport: Transport) => change((now) => ({ ...now, transport }))
  const events = keepWatching((connecting) => stagecast.watch(job, { ...connecting, onTransport }), signal)
  for await (const event of events) {
    if (event.event === 'gap') change((now) => ({ ...withSnapshot(now, event.data), gap: true, steps: [] }))
    else if (event.event === 'gone') throw new Error('The job disappeared while it was watched.')
    else if (event.event === 'hint') change((now) => ({ ...now, hint: hintText(event.data) }))
    else change((now) => withStep(now, event))
  }
  await look()
}

function withSnapshot(now: JobView, snapshot: JobSnapshot): JobView {
  const { status, progress, attempt, error, result } = snapshot
  // A snapshot can be older than the events that came meanwhile.
  const newest = now.steps.at(-1)
  if (newest && newest.id > snapshot.cursor) return { ...now, snapshot }
  return { ...now, snapshot, status, progress, attempt, error, result }
}

function withStep(now: JobView, step: JobEvent): JobView {
  const { status, progress, attempt, message } = step.data
  // What led to the state that is shown already does not turn it back.
  if (now.snapshot && step.id <= now.snapshot.cursor) return { ...now, message, steps: [...now.steps, step] }
  return {
    ...now,
    status,
    progress,
    attempt,
    message,
    steps: [...now.steps, step],
    // The reason for a retry is shown until the next attempt has got somewhere.
    error: 'error' in step.data ? step.data.error : getsOn(step) ? null : now.error,
    result: step.event === 'completed' ? step.data.result : now.result,
    hint: '',
  }
}

function getsOn({ event }: JobEvent): boolean {
  return event === 'active' || event === 'progress'
}

export function isOver(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
