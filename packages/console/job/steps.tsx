/** What has happened to a job, including the service's own messages, newest first. */
import { useState } from 'preact/hooks'
import type { JobEvent } from '../../../contract/job-event.ts'
import { duration } from '../page/parts.tsx'
import type { JobView } from './use-job.ts'

/** How many steps to show at first. */
const RECENT = 12

export function Steps({ view, folded }: { view: JobView; folded: boolean }) {
  const { steps, gap } = view
  const from = view.snapshot?.created_at ?? steps[0]?.data.at ?? 0
  const [newest = [], ...earlier] = byAttempt(steps)
  const list = (
    <>
      <List steps={newest} from={from} />
      {earlier.map((attempt) => (
        <Earlier key={attempt[0]?.id} steps={attempt} from={from} />
      ))}
      {gap && <p class="hint">Earlier steps are no longer kept.</p>}
    </>
  )
  if (folded) {
    return (
      <details class="fold">
        <summary>
          <h2>Steps</h2> <span class="quiet">{steps.length}</span>
        </summary>
        {list}
      </details>
    )
  }
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">Steps</h2>
      {list}
    </section>
  )
}

/** The newest attempt first. What happened before the first attempt belongs to it. */
function byAttempt(steps: readonly JobEvent[]): JobEvent[][] {
  const attempts: JobEvent[][] = []
  for (const step of steps) {
    const number = Math.max(1, step.data.attempt)
    attempts[number] = [...(attempts[number] ?? []), step]
  }
  return attempts.filter(Boolean).reverse()
}

/** An attempt that another one followed. */
function Earlier({ steps, from }: { steps: JobEvent[]; from: number }) {
  const last = steps.at(-1)?.data
  return (
    <details class="fold">
      <summary>
        <h3>Attempt {last?.attempt}</h3>{' '}
        {last && 'error' in last && <code class="quiet">{last.error.code}</code>}
      </summary>
      <List steps={steps} from={from} />
    </details>
  )
}

function List({ steps, from }: { steps: readonly JobEvent[]; from: number }) {
  const [all, setAll] = useState(false)
  const newestFirst = [...steps].reverse()
  const shown = all ? newestFirst : newestFirst.slice(0, RECENT)
  return (
    <>
      <ol class="steps" reversed>
        {shown.map((step) => (
          <Line key={step.id} step={step} from={from} />
        ))}
      </ol>
      {shown.length < steps.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {steps.length} steps
        </button>
      )}
    </>
  )
}

function Line({ step, from }: { step: JobEvent; from: number }) {
  const { event, data } = step
  const error = 'error' in data ? data.error : null
  return (
    <li class={`step ${event}`}>
      <span class="at">{duration(data.at - from)}</span>
      <span class="bar-part">{Math.round(data.progress)} %</span>
      <span class="what">
        <bdi>{data.message || event}</bdi>
        {error && (
          <>
            {error.message !== data.message && (
              <>
                {' '}
                <bdi>{error.message}</bdi>
              </>
            )}{' '}
            <code>{error.code}</code>
          </>
        )}
        {data.attempt > 1 && <span class="quiet"> attempt {data.attempt}</span>}
      </span>
    </li>
  )
}
