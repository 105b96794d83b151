/** A step that waits for a person: what was made, beside the decision. */
import type { Run, RunStep } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { Result } from '../review/result.tsx'
import { links } from '../state/route.ts'
import { Decide } from './decide.tsx'

export function Gate({ run, step, isMine }: { run: Run; step: RunStep; isMine: boolean }) {
  const { stages } = useStages()
  const title = titleOf(stages, step.stage)
  const heading = `gate-${step.stage}`
  return (
    <section class="gate card" aria-labelledby={heading}>
      <h2 id={heading}>
        Sign off stage {step.stage}: {title}
      </h2>
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
