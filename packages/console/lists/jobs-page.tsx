/** Earlier jobs, newest first. */
import { DeleteJob } from '../page/delete-job.tsx'
import { Failure, focusHeading, Heading, Loading } from '../page/parts.tsx'
import { type Filter, links } from '../state/route.ts'
import { JobFilters } from './job-filters.tsx'
import { JobRow } from './job-row.tsx'
import { useJobs } from './use-jobs.ts'

export function JobsPage({ filter }: { filter: Filter }) {
  const { pages, busy, more, refresh, drop } = useJobs(filter)
  const { jobs, next, failure } = pages
  const filtered = Object.values(filter).some(Boolean)
  return (
    <>
      <Heading>Jobs</Heading>
      <JobFilters filter={filter} refresh={refresh} />
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
            <JobRow key={job.job_id} job={job}>
              {job.finished_at !== null && (
                <DeleteJob
                  job={job}
                  name={job.research_question ?? `job ${job.job_id}`}
                  onDeleted={() => {
                    drop(job)
                    focusHeading()
                  }}
                />
              )}
            </JobRow>
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
