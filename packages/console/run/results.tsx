/** The results of a run, the latest stage first; each is read when it is unfolded. */
import { useState } from 'preact/hooks'
import type { Run, RunStep } from '../../client/index.ts'
import { titleOf, useStages } from '../page/stages.ts'
import { Made } from './made.tsx'

const DONE = ['completed', 'reused', 'rejected']

export function Results({ run, isMine }: { run: Run; isMine: boolean }) {
  const made = run.steps.filter(({ status, job_id }) => job_id && DONE.includes(status)).reverse()
  if (made.length === 0) return null
  return (
    <section aria-labelledby="results">
      <h2 id="results">Results</h2>
      {made.map((step) => (
        <StepResult key={`${step.stage} ${step.job_id}`} step={step} isMine={isMine} />
      ))}
    </section>
  )
}

function StepResult({ step: { stage, job_id }, isMine }: { step: RunStep; isMine: boolean }) {
  const { stages } = useStages()
  const [open, setOpen] = useState(false)
  return (
    <details
      class="fold card step-result"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <h3>{titleOf(stages, stage)}</h3> <span class="quiet">stage {stage}</span>
      </summary>
      {open && job_id && (
        <div class="made">
          <Made stage={stage} job_id={job_id} isMine={isMine} />
        </div>
      )}
    </details>
  )
}
