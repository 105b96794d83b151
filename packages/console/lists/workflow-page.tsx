/** One workflow: its latest run as a line of stages, and its other jobs, watched over one connection. */
import type { Run } from '../../client/index.ts'
import type { WatchedJob } from '../../client/workflow-view.ts'
import { connection } from '../api/connection.ts'
import { messageOf } from '../job/hint.ts'
import { HOW } from '../job/job-card.tsx'
import { Failure, Heading, Loading, Time } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { Changes } from '../run/changes.tsx'
import { RunTitle } from '../run/run-title.tsx'
import { RunView } from '../run/run-view.tsx'
import { statusWord } from '../run/words.ts'
import { links } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { JobRow } from './job-row.tsx'
import { useWorkflow } from './use-workflow.ts'

const LIVE = ['running', 'waiting', 'cancelling']

export function WorkflowPage({ id }: { id: string }) {
  const { jobs, runs, transport, failure } = useWorkflow(id)
  const state = useStore(connection)
  const all = jobs ? [...jobs.values()] : []
  const over = all.filter(({ finished_at }) => finished_at !== null).length
  const how = state !== 'online' ? 'Waiting for the server' : HOW[transport ?? 'connecting']
  const [run, ...earlier] = runs ?? []
  const inRun = new Set(runs?.flatMap(({ steps }) => steps.map(({ job_id }) => job_id)))
  const others = all.filter(({ job_id }) => !inRun.has(job_id))
  const question = questionOf(all)
  // Nothing more comes from what has ended, unless somebody runs it again.
  const isLive = run ? LIVE.includes(run.status) : over < all.length
  return (
    <>
      <Heading above={question || !jobs ? <Above id={id} /> : 'Workflow'}>
        {question ? <bdi>{question}</bdi> : jobs ? <span class="code">{id}</span> : 'Workflow'}
      </Heading>
      {failure && <Failure text={failure} />}
      {!jobs && !failure && <Loading what="the workflow" />}
      {jobs && (
        <>
          <p class="row meta" role="status">
            {all.length > 0 && !run && (
              <span>
                {over} of {all.length} {all.length === 1 ? 'job' : 'jobs'} finished
              </span>
            )}
            {!failure && (isLive || state !== 'online') && (
              <span class={`transport ${state === 'online' ? transport : ''}`}>{how}</span>
            )}
          </p>
          {run && <RunView run={run} jobs={jobs} earlier={earlier} isMine />}
          {others.length > 0 && <Jobs jobs={others} folded={run !== undefined} />}
          {earlier.length > 0 && <Earlier runs={earlier} open={run?.status !== 'completed'} />}
        </>
      )}
      {jobs && <Next id={id} canRun={!run} />}
    </>
  )
}

function Above({ id }: { id: string }) {
  return (
    <>
      Workflow <span class="code">{id}</span>
    </>
  )
}

/** The question that was asked last. */
function questionOf(jobs: readonly WatchedJob[]): string {
  return jobs.findLast(({ research_question }) => research_question)?.research_question ?? ''
}

/** Jobs that are not steps of a run. */
function Jobs({ jobs, folded }: { jobs: readonly WatchedJob[]; folded: boolean }) {
  const list = (
    <ul class="jobs">
      {jobs.map((job) => (
        <JobRow key={job.job_id} job={job} message={messageOf(job)} />
      ))}
    </ul>
  )
  if (!folded) return list
  return (
    <details class="fold">
      <summary>
        <h2>Jobs outside runs</h2> <span class="quiet">{jobs.length}</span>
      </summary>
      {list}
    </details>
  )
}

/** Open where the latest run has not completed: the results of an earlier one are then what there is. */
function Earlier({ runs, open }: { runs: readonly Run[]; open: boolean }) {
  return (
    <details class="fold" open={open}>
      <summary>
        <h2>Earlier runs</h2> <span class="quiet">{runs.length}</span>
      </summary>
      <ul class="jobs">
        {runs.map((run, at) => (
          <li key={run.run_id} class="job-row">
            <a href={links.run(run)}>
              <span class="name">
                <RunTitle run={run} before={runs[at + 1]} />
              </span>
              <span class="quiet">
                <Time at={run.created_at} /> · stages {run.steps.map(({ stage }) => stage).join(', ')}
              </span>
            </a>
            <span class={`badge ${run.status}`}>{statusWord(run.status)}</span>
            {runs[at + 1] && <Changes run={run} before={runs[at + 1] as Run} />}
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Starts another stage by itself in the same workflow, or a run: a finished one has a button for that itself. */
function Next({ id, canRun }: { id: string; canRun: boolean }) {
  const { stages } = useStages()
  return (
    <div class="filters">
      {canRun && (
        <a class="button" href={links.newRun(id)}>
          Run this workflow
        </a>
      )}
      <label>
        Start a stage in this workflow
        <select
          value=""
          onChange={(event) => {
            location.hash = links.create(Number(event.currentTarget.value), id)
          }}
        >
          <option value="">choose a stage</option>
          {stages?.map(({ stage, title, available }) => (
            <option key={stage} value={String(stage)} disabled={available === false}>
              {stage} · {title}
              {available === false && ' · not available'}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
