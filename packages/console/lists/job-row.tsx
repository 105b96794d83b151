/** One job in a list. */
import type { JobSummary } from '../../../contract/job.ts'
import { Badge, Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'

export function JobRow({ job, message = '' }: { job: JobSummary; message?: string }) {
  const { stages } = useStages()
  const title = titleOf(stages, job.stage)
  const under = ['active', 'cancelling', 'retrying'].includes(job.status)
  return (
    <li class={`job-row ${job.status}`}>
      <a href={links.job(job)}>
        <span class="name">
          <bdi>{job.research_question ?? title}</bdi>
        </span>
        <span class="quiet">
          Stage {job.stage} · {title} · <Time at={job.created_at} />
          {job.owner && (
            <>
              {' · '}
              <bdi>{job.owner}</bdi>
            </>
          )}
        </span>
      </a>
      <Badge status={job.status} />
      {under && <progress aria-label={`Progress of ${title}`} max={100} value={job.progress} />}
      {message && job.finished_at === null && (
        <p class="quiet message">
          <bdi>{message}</bdi>
        </p>
      )}
      {job.error && job.status !== 'cancelled' && (
        <p class="why">
          <bdi>{job.error.message}</bdi> <code>{job.error.code}</code>
        </p>
      )}
    </li>
  )
}
