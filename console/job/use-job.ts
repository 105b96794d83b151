/** One job, followed live: what is known of it, kept up to date until it ends or the page is left. */
import { useEffect, useState } from 'preact/hooks'
import type { JobError, JobStatus } from '../../stages/events.ts'
import type { JobEventData, JobResult, JobSnapshot } from '../../stages/job.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { persist } from '../api/persist.ts'
import { StagecastError } from '../api/stand-in.ts'

export interface Step {
  id: string
  event: string
  data: JobEventData
}

export interface JobView {
  /** Null until it has been fetched once. */
  snapshot: JobSnapshot | null
  status: JobStatus
  progress: number
  attempt: number
  message: string
  steps: readonly Step[]
  /** Earlier steps are no longer kept. */
  gap: boolean
  error: JobError | null
  result: JobResult | null
  /** What the server says meanwhile, e.g. that no worker is there; '' when nothing. */
  hint: string
  transport: 'sse' | 'polling' | null
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
      change((now) => ({ ...now, failure: failureOf(error) })),
    )
    return () => leaving.abort()
  }, [stage, job_id])
  return view
}

type Change = (next: (view: JobView) => JobView) => void

async function follow(
  job: { stage: number; job_id: string },
  signal: AbortSignal,
  change: Change,
): Promise<void> {
  const look = async () => {
    const snapshot = await persist(() => stagecast.status(job), signal)
    change((now) => withSnapshot(now, snapshot))
  }
  await look()
  const onTransport = (transport: 'sse' | 'polling') => change((now) => ({ ...now, transport }))
  for await (const { id, event, data } of stagecast.watch(job, { signal, onTransport })) {
    if (event === 'gap')
      change((now) => ({ ...withSnapshot(now, data as JobSnapshot), gap: true, steps: [] }))
    else if (event === 'gone')
      throw new StagecastError(404, { detail: 'The job disappeared while it was watched.' })
    else if (!id) change((now) => ({ ...now, hint: hintOf(data) }))
    else change((now) => withStep(now, { id, event, data: data as JobEventData }))
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

export function withStep(now: JobView, step: Step): JobView {
  const { status, progress, attempt, message, error, result } = step.data
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
    error: error ?? (step.event === 'active' || step.event === 'progress' ? null : now.error),
    result: result ?? now.result,
    hint: '',
  }
}

/** A hint carries no id and is worth a sentence; what it looks like is the server's. */
export function hintOf(data: unknown): string {
  const { message } = (data ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : ''
}

function failureOf(error: unknown): string {
  return tellFailure(error)
}

export function isOver(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
