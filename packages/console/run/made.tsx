/** What a step made, read when it is shown. */
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { Result } from '../review/result.tsx'
import { links } from '../state/route.ts'
import { planDecisions } from './plan-decisions.ts'

interface MadeProps {
  stage: number
  job_id: string
  /** Whether the user may open the job. */
  isMine: boolean
}

export function Made({ stage, job_id, isMine }: MadeProps) {
  const { value: job, failure } = useAnswer(
    (signal) => persist(() => stagecast.status({ stage, job_id }, { signal }), signal),
    [stage, job_id],
  )
  if (failure) return <Failure text={`The result: ${failure}`} />
  if (!job) return <Loading what="the result" />
  return (
    <>
      {job.result && (
        <Result
          job={{ stage, job_id }}
          result={job.result}
          asked={job.data}
          planDecisions={isMine && job.run_id ? planDecisions : undefined}
        />
      )}
      {isMine && (
        <p>
          <a href={links.job({ stage, job_id })}>Open the job</a>
        </p>
      )}
    </>
  )
}
