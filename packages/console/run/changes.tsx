/** What changed from one run to the next, read when it is unfolded. */
import { useState } from 'preact/hooks'
import type { Run } from '../../client/index.ts'
import { useAnswer } from '../api/use-answer.ts'
import { words } from '../form/schema.ts'
import { inShort } from '../page/in-short.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { compareRuns, type Difference, type StepChange } from './compare.ts'
import { capital, listed, statusWord } from './words.ts'

/** `before`: the run before it in the same workflow. */
export function Changes({ run, before }: { run: Run; before: Run }) {
  const [open, setOpen] = useState(false)
  return (
    <details class="fold changes" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What changed since the previous run</summary>
      {open && <List run={run} before={before} />}
    </details>
  )
}

function List({ run, before }: { run: Run; before: Run }) {
  const { value, failure } = useAnswer(
    (signal) => compareRuns(run, before, signal),
    // Compared again when a step gets on.
    [run.run_id, before.run_id, run.steps.map(({ status }) => status).join()],
  )
  const left = before.steps.filter(({ stage }) => !run.steps.some((step) => step.stage === stage))
  if (failure) return <Failure text={failure} />
  if (!value) return <Loading what="the changes" />
  return (
    <>
      <ul class="change-list">
        {value.map((change) => (
          <Change key={change.step.stage} change={change} />
        ))}
      </ul>
      {left.length > 0 && (
        <p class="quiet">The previous run also had {listed(left.map(({ stage }) => stage))}.</p>
      )}
    </>
  )
}

/** How many files are named. */
const NAMED = 3

function Change({ change: { step, isNew, differences, result, files } }: { change: StepChange }) {
  const { stages } = useStages()
  const { stage, status, because } = step
  return (
    <li>
      <p class="row">
        <span class="name">
          {stage} · {titleOf(stages, stage)}
        </span>
        <span class={`badge ${status}`}>{statusWord(status)}</span>
        <span class="quiet">{isNew ? 'Not in the previous run.' : because && `${capital(because)}.`}</span>
      </p>
      {differences.map((one) => (
        <DifferenceView key={one.path.join('/')} difference={one} />
      ))}
      {result === 'the same' && status !== 'reused' && <p class="quiet">The same files as before.</p>}
      {files.length > 0 && (
        <p class="quiet">
          {files.length === 1 ? '1 file differs' : `${files.length} files differ`}:{' '}
          <bdi>{files.slice(0, NAMED).join(', ')}</bdi>
          {files.length > NAMED && ` and ${files.length - NAMED} more`}
        </p>
      )}
    </li>
  )
}

function DifferenceView({ difference: { path, before, now } }: { difference: Difference }) {
  return (
    <p class="difference">
      <bdi>{path.map(partWords).join(' › ')}</bdi>:{' '}
      {before === undefined ? <span class="quiet">not set</span> : <del>{inShort(before)}</del>}{' '}
      <span aria-hidden="true">→</span> <ins>{inShort(now)}</ins>
    </p>
  )
}

/** An identifier, of a paper for example, stays as it is. */
function partWords(part: string): string {
  return /[:/.]/.test(part) ? part : words(part)
}
