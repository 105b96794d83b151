/** A step that waits for a person: what was made, beside the decision. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { Decision } from '../../../contract/run.ts'
import type { Run, RunStep } from '../../client/index.ts'
import { data, number } from '../api/read.ts'
import { Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { toDecideIn } from '../review/to-decide.tsx'
import { Decide } from './decide.tsx'
import { Made } from './made.tsx'
import { useMade } from './use-made.ts'

interface GateProps {
  run: Run
  step: RunStep
  /** The decision on an earlier result, if there was one. */
  before: Decision | null
  isMine: boolean
  onApproved: () => void
}

/** How many passages of a manuscript are marked for its author. */
function markedIn({ result }: JobSnapshot): number {
  const { kind, counts } = data(result?.results)
  return kind === 'manuscript' ? (number(data(counts).gaps) ?? 0) : 0
}

/** The heading of a gate, to go to. */
export const gateId = (stage: number) => `gate-${stage}`

export function Gate({ run, step, before, isMine, onApproved }: GateProps) {
  const { stages } = useStages()
  const title = titleOf(stages, step.stage)
  const heading = gateId(step.stage)
  const made = useMade(step.stage, step.job_id)
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
          <Made {...made} steps={run.steps} isMine={isMine} />
        </div>
        <Decide
          run={run}
          step={step}
          title={title}
          marked={made.job ? markedIn(made.job) : 0}
          undecided={(made.job && toDecideIn(made.job)?.papers) ?? 0}
          onApproved={onApproved}
        />
      </div>
    </section>
  )
}
