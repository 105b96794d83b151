/** The results of a run, the latest stage first; each is read when it is unfolded. */
import { useState } from 'preact/hooks'
import type { Run, RunStep } from '../../client/index.ts'
import { titleOf, useStages } from '../page/stages.ts'
import { Made } from './made.tsx'
import { useMade } from './use-made.ts'

const DONE = ['completed', 'reused', 'rejected']

export function Results({ run, isMine }: { run: Run; isMine: boolean }) {
  const made = run.steps.filter(({ status, job_id }) => job_id && DONE.includes(status)).reverse()
  if (made.length === 0) return null
  return (
    <section aria-labelledby="results">
      <h2 id="results">Results</h2>
      {made.map((step) => (
        <StepResult key={`${step.stage} ${step.job_id}`} step={step} steps={run.steps} isMine={isMine} />
      ))}
    </section>
  )
}

interface StepProps {
  step: RunStep
  /** All of the run. */
  steps: readonly RunStep[]
  isMine: boolean
}

function StepResult({ step, steps, isMine }: StepProps) {
  const { stage } = step
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
      {open && (
        <div class="made">
          <Inside step={step} steps={steps} isMine={isMine} />
        </div>
      )}
    </details>
  )
}

/** Read when it is unfolded. */
function Inside({ step: { stage, job_id }, steps, isMine }: StepProps) {
  return <Made {...useMade(stage, job_id)} steps={steps} isMine={isMine} />
}
