/** One run by its id: an earlier one, or one that waits for a sign-off. */
import { useEffect, useState } from 'preact/hooks'
import type { Run, RunReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { RunTitle } from '../run/run-title.tsx'
import { RunView } from '../run/run-view.tsx'
import { links } from '../state/route.ts'
import { useRun } from './use-run.ts'
import { useStepJobs } from './use-step-jobs.ts'

export function RunPage({ workflow_id, run_id }: RunReference) {
  const { run, failure } = useRun({ workflow_id, run_id })
  const jobs = useStepJobs(run)
  const runs = useRuns(workflow_id)
  if (!run) {
    return (
      <>
        <Heading>Run</Heading>
        {failure ? <Failure text={failure} /> : <Loading what="the run" />}
      </>
    )
  }
  const asked = [...jobs.values()].find(({ research_question }) => research_question)
  const isMine = runs.length > 0
  const earlier = runs.filter(({ created_at }) => created_at < run.created_at)
  const isLatest = !runs.some(({ created_at }) => created_at > run.created_at)
  return (
    <>
      <Heading above={isLatest ? 'A run of a workflow' : 'An earlier run of a workflow'}>
        <bdi>{asked?.research_question || run.name || 'Run'}</bdi>
      </Heading>
      {failure && <Failure text={failure} />}
      {!isLatest && (
        <p class="note">
          This is an earlier run, not the latest:{' '}
          <strong>
            <RunTitle run={run} before={earlier[0]} />
          </strong>
          . <a href={links.workflow(workflow_id)}>See the latest run</a>
        </p>
      )}
      <RunView run={run} jobs={jobs} earlier={earlier} isMine={isMine} />
      {isMine && (
        <p>
          <a href={links.workflow(workflow_id)}>See the workflow</a>
        </p>
      )}
    </>
  )
}

/** To find the run before this one. */
const RUNS = 100

/** The runs of the user's own workflow, newest first; a person who only signs sees none of them in a list. */
function useRuns(workflow_id: string): readonly Run[] {
  // Without an answer, the page does without its links.
  const { value } = useAnswer(
    (signal) => persist(() => stagecast.runs.list({ workflow_id, limit: RUNS }, { signal }), signal),
    [workflow_id],
  )
  return value?.runs ?? []
}

/** The question that one of these jobs was asked; '' until known. */
export function useQuestion(jobs: readonly { stage: number; job_id: string }[]): string {
  const [question, setQuestion] = useState('')
  const asked = JSON.stringify(jobs.map(({ stage, job_id }) => ({ stage, job_id })))
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const read = async () => {
      for (const job of JSON.parse(asked)) {
        const { data } = await stagecast.status(job, { signal })
        if (data.research_question) return setQuestion(data.research_question)
      }
    }
    // The page does without it.
    read().catch(() => {})
    return () => leaving.abort()
  }, [asked])
  return question
}
