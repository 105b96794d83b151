/** A step that waits for a person: what was made, beside the decision. */
import type { Decision } from '../../../contract/run.ts'
import type { Run, RunStep } from '../../client/index.ts'
import { Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { Decide } from './decide.tsx'
import { Made } from './made.tsx'

interface GateProps {
  run: Run
  step: RunStep
  /** The decision on an earlier result, if there was one. */
  before: Decision | null
  isMine: boolean
  onApproved: () => void
}

/** The heading of a gate, to go to. */
export const gateId = (stage: number) => `gate-${stage}`

export function Gate({ run, step, before, isMine, onApproved }: GateProps) {
  const { stages } = useStages()
  const title = titleOf(stages, step.stage)
  const heading = gateId(step.stage)
  return (
    <section class="gate card" aria-labelledby={heading}>
      <h2 id={heading} tabIndex={-1}>
        Sign off stage {step.stage}: {title}
      </h2>
      {before && (
        <p class="note">
          <bdi>{before.by}</bdi> {before.verdict} an earlier result, <Time at={before.at} />
          {before.reason && (
            <>
              : <bdi>“{before.reason}”</bdi>
            </>
          )}
          . This result needs a new decision.
        </p>
      )}
      <div class="beside">
        <div class="made">
          {step.job_id && <Made stage={step.stage} job_id={step.job_id} isMine={isMine} />}
        </div>
        <Decide run={run} step={step} title={title} onApproved={onApproved} />
      </div>
    </section>
  )
}
