/** The way back to the workflow that the user ran last. */
import type { Run } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Ago } from '../page/parts.tsx'
import { statusWord } from '../run/words.ts'
import { links } from '../state/route.ts'
import { useQuestion } from './run-page.tsx'

export function LatestWorkflow() {
  // Without an answer, the page does without it.
  const { value } = useAnswer(
    (signal) => persist(() => stagecast.runs.list({ limit: 10 }, { signal }), signal),
    [],
  )
  const [run] = value?.runs ?? []
  return run ? <Latest run={run} /> : null
}

function Latest({ run: { workflow_id, steps, name, status, created_at } }: { run: Run }) {
  const question = useQuestion(steps.flatMap(({ stage, job_id }) => (job_id ? [{ stage, job_id }] : [])))
  return (
    <p class="row latest">
      <span class="quiet">Your latest workflow</span>
      <a href={links.workflow(workflow_id)}>
        <bdi>{question || name || `Workflow ${workflow_id.slice(0, 8)}`}</bdi>
      </a>
      <span class={`badge ${status}`}>{statusWord(status)}</span>
      <span class="quiet">
        <Ago at={created_at} />
      </span>
    </p>
  )
}
