/** The state of a job: progress bar, attempt, message, time, and a way to cancel. */
import { useEffect, useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { stagecast } from '../api/api.ts'
import { connection } from '../api/connection.ts'
import { Cancel } from '../page/cancel.tsx'
import { Badge, span, wholeSeconds } from '../page/parts.tsx'
import { useStore } from '../state/store.ts'
import { hintText } from './hint.ts'
import { Retry } from './retry.tsx'
import { isOver, type JobView } from './use-job.ts'

export const HOW = { connecting: 'Connecting', sse: 'Live', polling: 'Polling', waiting: 'Reconnecting' }
const WHY_POLLING =
  'Something in between, probably a proxy, holds live events back, so this page polls instead.'

export function JobCard({ view, job }: { view: JobView; job: JobReference }) {
  const { status, progress, attempt, snapshot, error, hint } = view
  const over = isOver(status)
  return (
    <section class={`card job ${status}`} aria-label="Progress">
      <div class="row">
        <Badge status={status} />
        <span class="percent">{Math.round(progress)} %</span>
      </div>
      <progress aria-label="Progress of the job" max={100} value={progress} />
      {!over && (
        <p class="message">
          <bdi>{messageOf(view)}</bdi>
        </p>
      )}
      {hint && !over && <p class="hint">{hintText(hint)}</p>}
      {view.transport === 'polling' && !over && <p class="hint">{WHY_POLLING}</p>}
      {status === 'retrying' && error && (
        <p class="note">
          Attempt {error.attempt} failed: <bdi>{error.message}</bdi> <code>{error.code}</code>
        </p>
      )}
      {status === 'failed' && error && (
        <p class="alert">
          <bdi>{error.message}</bdi> <code>{error.code}</code>
        </p>
      )}
      {status === 'cancelled' && <p class="note">The job was cancelled. It is no longer running.</p>}
      <div class="row meta">
        <span>
          {attempt === 0 ? 'Not started yet' : `Attempt ${attempt} of ${snapshot?.max_attempts ?? '…'}`}
        </span>
        <Elapsed view={view} />
        {!over && <Transport view={view} />}
        {!over && <Cancel what="job" asked={status === 'cancelling'} send={() => stagecast.cancel(job)} />}
        {(status === 'failed' || status === 'cancelled') && <Retry job={job} />}
      </div>
    </section>
  )
}

/** What is happening now. The reason for a failed attempt has its own note. */
function messageOf({ status, error, message }: JobView): string {
  if (status === 'retrying' && error) return 'Retrying soon.'
  return message || 'Waiting in the queue.'
}

/** Time since the job was accepted; stops when the job ends. */
function Elapsed({ view }: { view: JobView }) {
  const [, setTick] = useState(0)
  const over = isOver(view.status)
  useEffect(() => {
    if (over) return
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000)
    return () => clearInterval(timer)
  }, [over])
  const now = Date.now()
  const from = view.snapshot?.created_at ?? now
  const until = over ? (view.snapshot?.finished_at ?? view.steps.at(-1)?.data.at ?? now) : now
  return (
    <span class="elapsed">{over ? `Took ${span(until - from)}` : `For ${wholeSeconds(until - from)}`}</span>
  )
}

function Transport({ view }: { view: JobView }) {
  const state = useStore(connection)
  if (state !== 'online') return <span class="transport">Waiting for the server</span>
  return <span class={`transport ${view.transport ?? ''}`}>{HOW[view.transport ?? 'connecting']}</span>
}
