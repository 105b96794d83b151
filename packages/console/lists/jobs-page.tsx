/** Earlier jobs, newest first. */
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { type Filter, links } from '../state/route.ts'
import { JobRow } from './job-row.tsx'
import { STATUSES, useJobs } from './use-jobs.ts'

export function JobsPage({ filter }: { filter: Filter }) {
  const { pages, busy, more, refresh } = useJobs(filter)
  const { jobs, next, failure } = pages
  const filtered = Object.values(filter).some(Boolean)
  return (
    <>
      <Heading>Jobs</Heading>
      <Filters filter={filter} refresh={refresh} />
      {failure && <Failure text={failure} again={refresh} />}
      {!jobs && !failure && <Loading what="your jobs" />}
      {jobs?.length === 0 && (
        <p class="empty">
          {filtered ? 'No job matches. ' : 'You have not started any jobs yet. '}
          <a href={filtered ? links.jobs : links.stages}>{filtered ? 'Show all jobs' : 'Choose a stage'}</a>
        </p>
      )}
      {jobs && jobs.length > 0 && (
        <ul class="jobs">
          {jobs.map((job) => (
            <JobRow key={job.job_id} job={job} />
          ))}
        </ul>
      )}
      {next && (
        <button type="button" aria-disabled={busy} onClick={more}>
          {busy ? 'Loading…' : 'Show older jobs'}
        </button>
      )}
    </>
  )
}

function Filters({ filter, refresh }: { filter: Filter; refresh: () => void }) {
  const { stages } = useStages()
  const choose = (name: string) => (event: { currentTarget: { value: string } }) => {
    location.hash = links.filtered({ ...filter, [name]: event.currentTarget.value })
  }
  return (
    <div class="filters">
      <label>
        Stage
        <select value={filter.stage ?? ''} onChange={choose('stage')}>
          <option value="">all</option>
          {stages?.map(({ stage, title }) => (
            <option key={stage} value={String(stage)}>
              {stage} · {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        Status
        <select value={filter.status ?? ''} onChange={choose('status')}>
          <option value="">all</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      {filter.workflow_id && (
        <span class="chip">
          of one workflow{' '}
          <a href={links.filtered({ ...filter, workflow_id: '' })} aria-label="Show all workflows">
            show all
          </a>
        </span>
      )}
      <button type="button" onClick={refresh}>
        Refresh
      </button>
    </div>
  )
}
