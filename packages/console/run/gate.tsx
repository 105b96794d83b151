/** A step that waits for a person: what was made, beside the decision. */
import type { Decision } from '../../../contract/run.ts'
import type { Run, RunStep } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Failure, Loading, Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { Result } from '../review/result.tsx'
import { links } from '../state/route.ts'
import { Decide } from './decide.tsx'

interface GateProps {
  run: Run
  step: RunStep
  /** The decision on an earlier result, if there was one. */
  before: Decision | null
  isMine: boolean
}

export function Gate({ run, step, before, isMine }: GateProps) {
  const { stages } = useStages()
  const title = titleOf(stages, step.stage)
  const heading = `gate-${step.stage}`
  return (
    <section class="gate card" aria-labelledby={heading}>
      <h2 id={heading}>
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
          . This result needs a decision of its own.
        </p>
      )}
      <div class="beside">
        <div class="made">
          {step.job_id && <Made stage={step.stage} job_id={step.job_id} isMine={isMine} />}
        </div>
        <Decide run={run} step={step} />
      </div>
    </section>
  )
}

function Made({ stage, job_id, isMine }: { stage: number; job_id: string; isMine: boolean }) {
  const { value: job, failure } = useAnswer(
    (signal) => persist(() => stagecast.status({ stage, job_id }, { signal }), signal),
    [stage, job_id],
  )
  if (failure) return <Failure text={`The result: ${failure}`} />
  if (!job) return <Loading what="the result" />
  return (
    <>
      {job.result && <Result job={{ stage, job_id }} result={job.result} asked={job.data} />}
      {isMine && (
        <p>
          <a href={links.job({ stage, job_id })}>Open the job</a>
        </p>
      )}
    </>
  )
}
