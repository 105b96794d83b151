/** The state of a job: progress bar, attempt, message, time, and what can be done about it. */
import type { JobReference } from '../../client/index.ts'
import { stagecast } from '../api/api.ts'
import { connection } from '../api/connection.ts'
import { Cancel } from '../page/cancel.tsx'
import { DeleteJob } from '../page/delete-job.tsx'
import { Ago, Badge, span, useNow, wholeSeconds } from '../page/parts.tsx'
import { links } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { blameOf } from './blame.ts'
import { hintText } from './hint.ts'
import { Retry } from './retry.tsx'
import { RunAgain } from './run-again.tsx'
import { isOver, type JobView } from './use-job.ts'

export const HOW = { connecting: 'Connecting', sse: 'Live', polling: 'Polling', waiting: 'Reconnecting' }
const WHY_POLLING = 'Something, probably a proxy, buffers live events, so this page polls instead.'

export function JobCard({ view, job }: { view: JobView; job: JobReference }) {
  const { status, progress, error, hint } = view
  if (isOver(status)) return <Ended view={view} job={job} />
  return (
    <section class={`card job ${status}`} aria-label="Progress">
      <div class="row">
        <Badge status={status} />
        <span class="percent">{Math.round(progress)} %</span>
      </div>
      <progress aria-label="Progress of the job" max={100} value={progress} />
      <p class="message">
        <bdi>{messageOf(view)}</bdi>
      </p>
      {hint && <p class="hint">{hintText(hint)}</p>}
      {view.transport === 'polling' && <p class="hint">{WHY_POLLING}</p>}
      {status === 'retrying' && error && (
        <p class="note">
          Attempt {error.attempt} failed: <bdi>{error.message}</bdi> <code>{error.code}</code>
        </p>
      )}
      <div class="row meta">
        <Attempt view={view} />
        <Elapsed view={view} />
        <Transport view={view} />
        <Cancel what="job" asked={status === 'cancelling'} send={() => stagecast.cancel(job)} />
      </div>
    </section>
  )
}

/** In short how it ended; of a failed job also whose fault that is, and what to do. */
function Ended({ view, job }: { view: JobView; job: JobReference }) {
  const { status, error, snapshot } = view
  const blame = status === 'failed' && error ? blameOf(error) : null
  const again = snapshot && <RunAgain of={snapshot} primary={blame?.retry === false} />
  return (
    <section class={`card job ${status}`} aria-label="Progress">
      <div class="row meta">
        <Badge status={status} />
        <Elapsed view={view} />
        <Attempt view={view} />
        {snapshot?.finished_at && <Ago at={snapshot.finished_at} />}
        {status === 'completed' && <span class="push">{again}</span>}
        <DeleteJob job={job} onDeleted={() => location.replace(links.jobs)} />
      </div>
      {blame && error && (
        <>
          <h2>{blame.whose}</h2>
          <p class="alert">
            <bdi>{error.message}</bdi> <code>{error.code}</code>
          </p>
          <p class="advice">{blame.advice}</p>
        </>
      )}
      {status === 'cancelled' && <p class="note">The job was cancelled. It is no longer running.</p>}
      {status !== 'completed' && (
        <div class="actions">
          <Retry job={job} primary={blame?.retry !== false} />
          {again}
        </div>
      )}
    </section>
  )
}

/** What is happening now. The reason for a failed attempt has its own note. */
function messageOf({ status, error, message }: JobView): string {
  if (status === 'retrying' && error) return 'Retrying soon.'
  return message || 'Waiting in the queue.'
}

function Attempt({ view: { attempt, snapshot } }: { view: JobView }) {
  return (
    <span>
      {attempt === 0 ? 'Not started yet' : `Attempt ${attempt} of ${snapshot?.max_attempts ?? '…'}`}
    </span>
  )
}

/** From its start, as in lists; while it waits, from its acceptance. */
function Elapsed({ view }: { view: JobView }) {
  const over = isOver(view.status)
  const now = useNow(over ? 0 : 1000)
  const from = view.snapshot?.processed_at ?? view.snapshot?.created_at ?? now
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
