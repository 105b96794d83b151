/** The view of one job, which its events keep up to date. */
import type { JobError, JobStatus } from '../../contract/events.ts'
import type { Hint, JobResult, JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'
import { keepWatching } from './keep-watching.ts'
import { persist } from './persist.ts'
import type { Stagecast } from './stagecast.ts'
import type { JobReference, Transport } from './types.ts'

export interface JobView {
  /** The status response; null until it has been fetched. It is fetched again at the end. */
  snapshot: JobSnapshot | null
  status: JobStatus
  progress: number
  attempt: number
  /** The message of the last event. */
  message: string
  /** All events, oldest first. */
  steps: readonly JobEvent[]
  /** Whether earlier events are no longer kept. */
  gap: boolean
  /** Set if the job failed, was cancelled or is being retried. */
  error: JobError | null
  /** Set if the job has completed. */
  result: JobResult | null
  /** What a waiting job is waiting for. */
  hint: Hint | null
  /** How events arrive; null before the first connection. */
  transport: Transport | null
}

export const NO_JOB: JobView = {
  snapshot: null,
  status: 'queued',
  progress: 0,
  attempt: 0,
  message: '',
  steps: [],
  gap: false,
  error: null,
  result: null,
  hint: null,
  transport: null,
}

export type Change<View> = (next: (view: View) => View) => void

/**
 * Follows a job until it ends, resuming after the events that `view` already has. Throws an error that a retry cannot fix,
 * or the reason of `signal`.
 */
export async function followJob(
  client: Stagecast,
  job: JobReference,
  view: JobView,
  signal: AbortSignal,
  change: Change<JobView>,
): Promise<void> {
  const look = async () => {
    const snapshot = await persist(() => client.status(job, { signal }), signal)
    change((now) => withSnapshot(now, snapshot))
  }
  await look()
  const onTransport = (transport: Transport) => change((now) => ({ ...now, transport }))
  const events = keepWatching((connecting) => client.watch(job, connecting), signal, {
    after: view.steps.at(-1)?.id,
    onTransport,
  })
  for await (const event of events) {
    if (event.event === 'gap') change((now) => ({ ...withSnapshot(now, event.data), gap: true, steps: [] }))
    else if (event.event === 'gone') throw new Error('The job disappeared while it was watched.')
    else if (event.event === 'hint') change((now) => ({ ...now, hint: event.data }))
    else change((now) => withStep(now, event))
  }
  await look()
}

function withSnapshot(now: JobView, snapshot: JobSnapshot): JobView {
  const { status, progress, attempt, error, result } = snapshot
  // Events that arrived meanwhile may be newer than the snapshot.
  const newest = now.steps.at(-1)
  if (newest && newest.id > snapshot.cursor) return { ...now, snapshot }
  return { ...now, snapshot, status, progress, attempt, error, result }
}

function withStep(now: JobView, step: JobEvent): JobView {
  const { status, progress, attempt, message } = step.data
  // An event that the snapshot already includes must not reset the state.
  if (now.snapshot && step.id <= now.snapshot.cursor) return { ...now, message, steps: [...now.steps, step] }
  return {
    ...now,
    status,
    progress,
    attempt,
    message,
    steps: [...now.steps, step],
    // Keep showing the reason for a retry until the next attempt makes progress.
    error: 'error' in step.data ? step.data.error : getsOn(step) ? null : now.error,
    result: step.event === 'completed' ? step.data.result : now.result,
    hint: null,
  }
}

function getsOn({ event }: JobEvent): boolean {
  return event === 'active' || event === 'progress'
}
