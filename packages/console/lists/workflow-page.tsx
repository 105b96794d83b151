/** One workflow: its stages side by side, watched over one connection. */
import { connection } from '../api/connection.ts'
import { hintText } from '../job/hint.ts'
import { HOW } from '../job/job-card.tsx'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { JobRow } from './job-row.tsx'
import { useWorkflow } from './use-workflow.ts'

export function WorkflowPage({ id }: { id: string }) {
  const { jobs, transport, failure } = useWorkflow(id)
  const state = useStore(connection)
  const all = jobs ? [...jobs.values()] : []
  const over = all.filter(({ finished_at }) => finished_at !== null).length
  const how = state !== 'online' ? 'Waiting for the server' : HOW[transport ?? 'connecting']
  return (
    <>
      <Heading above="Workflow">
        <span class="code">{id}</span>
      </Heading>
      {failure && <Failure text={failure} />}
      {!jobs && !failure && <Loading what="the workflow" />}
      {jobs && (
        <>
          <p class="row meta" role="status">
            {all.length > 0 && (
              <span>
                {over} of {all.length} {all.length === 1 ? 'job' : 'jobs'} over
              </span>
            )}
            {!failure && <span class={`transport ${state === 'online' ? transport : ''}`}>{how}</span>}
          </p>
          <ul class="jobs">
            {all.map((job) => (
              <JobRow key={job.job_id} job={job} message={job.hint ? hintText(job.hint) : job.message} />
            ))}
          </ul>
        </>
      )}
      <Next id={id} />
    </>
  )
}

/** Starts another stage in the same workflow. */
function Next({ id }: { id: string }) {
  const { stages } = useStages()
  return (
    <div class="filters">
      <label>
        Start a stage in this workflow
        <select
          value=""
          onChange={(event) => {
            location.hash = links.create(Number(event.currentTarget.value), id)
          }}
        >
          <option value="">choose a stage</option>
          {stages?.map(({ stage, title }) => (
            <option key={stage} value={String(stage)}>
              {stage} · {title}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
