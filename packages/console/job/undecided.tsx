/** Shown on a job's page if its result leaves out undecided papers: their number, and a link to decide. */
import type { JobSnapshot } from '../../../contract/job.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { ToDecideNote, toDecideIn } from '../review/to-decide.tsx'

export function Undecided({ job }: { job: JobSnapshot }) {
  const undecided = toDecideIn(job)
  const { workflow_id, run_id } = job
  // A review has its own way to them. A job outside a run used the workflow's results at that time; which job made them is not recorded.
  const isElsewhere = undecided !== null && undecided.stage !== job.stage
  const run = isElsewhere && run_id ? { workflow_id, run_id } : null
  const { value } = useAnswer(
    run && ((signal) => persist(() => stagecast.runs.get(run, { signal }), signal)),
    [run?.run_id],
  )
  if (!isElsewhere) return null
  return <ToDecideNote {...undecided} steps={value?.steps ?? []} />
}
