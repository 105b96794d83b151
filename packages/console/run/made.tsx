/** What a step made. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { RunStep } from '../../client/index.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { Result } from '../review/result.tsx'
import { ToDecideNote, toDecideIn } from '../review/to-decide.tsx'
import { links } from '../state/route.ts'
import { planDecisions } from './plan-decisions.ts'

interface MadeProps {
  /** Null until it is read. */
  job: JobSnapshot | null
  failure: string
  /** Of its run. */
  steps: readonly RunStep[]
  /** Whether the user may open the job. */
  isMine: boolean
}

export function Made({ job, failure, steps, isMine }: MadeProps) {
  if (failure) return <Failure text={`The result: ${failure}`} />
  if (!job) return <Loading what="the result" />
  const { stage, job_id } = job
  const undecided = toDecideIn(job)
  return (
    <>
      {/* A review shows the papers themselves. */}
      {undecided && undecided.stage !== stage && <ToDecideNote {...undecided} steps={isMine ? steps : []} />}
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
