/** The user's workflows by their questions, the one with the newest run first. */
import { useEffect, useState } from 'preact/hooks'
import type { Run } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Ago, Failure, Heading, Loading } from '../page/parts.tsx'
import { statusWord } from '../run/words.ts'
import { links } from '../state/route.ts'
import { useQuestion } from './run-page.tsx'

const FRESH_MS = 5000
const RUNS = 100
const DONE = ['completed', 'reused']

export function WorkflowsPage() {
  const { runs, more, failure } = useRuns()
  const workflows = byWorkflow(runs ?? [])
  return (
    <>
      <div class="row">
        <Heading>Workflows</Heading>
        <a class="button push" href={links.stages}>
          New workflow
        </a>
      </div>
      {failure && <Failure text={failure} />}
      {!runs && !failure && <Loading what="your workflows" />}
      {runs?.length === 0 && (
        <p class="empty">
          You have not started a workflow yet. <a href={links.stages}>Ask a question</a>
        </p>
      )}
      {workflows.size > 0 && (
        <ul class="jobs">
          {[...workflows].map(([id, [latest, ...earlier]]) => (
            <Row key={id} latest={latest as Run} earlier={earlier} />
          ))}
        </ul>
      )}
      {more && (
        <p class="hint">
          These are the workflows of your newest {RUNS} runs. Older ones are listed under{' '}
          <a href={links.jobs}>Jobs</a>.
        </p>
      )}
    </>
  )
}

function byWorkflow(runs: readonly Run[]): Map<string, Run[]> {
  const found = new Map<string, Run[]>()
  for (const run of runs) found.set(run.workflow_id, [...(found.get(run.workflow_id) ?? []), run])
  return found
}

function Row({ latest, earlier }: { latest: Run; earlier: readonly Run[] }) {
  const { steps, workflow_id, status, name, created_at } = latest
  const question = useQuestion(steps.flatMap(({ stage, job_id }) => (job_id ? [{ stage, job_id }] : [])))
  const done = steps.filter((step) => DONE.includes(step.status)).length
  const isBehind = status !== 'completed' && earlier.some((run) => run.status === 'completed')
  return (
    <li class="job-row">
      <a href={links.workflow(workflow_id)}>
        <span class="name">
          <bdi>{question || name || `Workflow ${workflow_id}`}</bdi>
        </span>
        <span class="quiet">
          {done} of {steps.length} {steps.length === 1 ? 'stage' : 'stages'} done
          {earlier.length > 0 && ` · ${earlier.length} earlier ${earlier.length === 1 ? 'run' : 'runs'}`}
          {isBehind && ', the results of a completed one are kept'} · started <Ago at={created_at} />
        </span>
      </a>
      <span class={`badge ${status}`}>{statusWord(status)}</span>
    </li>
  )
}

function useRuns() {
  const [state, setState] = useState<{ runs: readonly Run[] | null; more: boolean; failure: string }>({
    runs: null,
    more: false,
    failure: '',
  })
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const read = () =>
      persist(() => newestRuns(signal), signal).then(
        (found) => signal.aborted || setState({ ...found, failure: '' }),
        (error) => signal.aborted || setState((now) => ({ ...now, failure: tellFailure(error) })),
      )
    void read()
    const timer = setInterval(() => document.hidden || void read(), FRESH_MS)
    return () => {
      clearInterval(timer)
      leaving.abort()
    }
  }, [])
  return state
}

/** A page may be short, or empty, before the end. */
async function newestRuns(signal: AbortSignal) {
  const runs: Run[] = []
  for (let after: string | undefined; ; ) {
    const page = await stagecast.runs.list({ limit: RUNS, after }, { signal })
    runs.push(...page.runs)
    if (page.next === null || runs.length >= RUNS) return { runs, more: page.next !== null }
    after = page.next
  }
}
