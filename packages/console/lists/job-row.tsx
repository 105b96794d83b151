/** One job in a list: one line, and a second where there is more to say. */
import type { ComponentChildren } from 'preact'
import type { JobSummary } from '../../../contract/job.ts'
import { session } from '../api/session.ts'
import { Ago, Badge, span, useNow, wholeSeconds } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'
import { useStore } from '../state/store.ts'

interface RowProps {
  job: JobSummary
  message?: string
  /** What can be done about it. */
  children?: ComponentChildren
}

export function JobRow({ job, message = '', children }: RowProps) {
  const { stages } = useStages()
  const who = useStore(session)
  // Administrators see the jobs of all users; their own need no name.
  const me = 'user' in who ? who.user : ''
  const title = titleOf(stages, job.stage)
  const under = ['active', 'cancelling', 'retrying'].includes(job.status)
  return (
    <li class={`job-row line ${job.status}`}>
      <Badge status={job.status} />
      <a class="name" href={links.job(job)} title={job.research_question ?? undefined}>
        <bdi>{job.research_question ?? title}</bdi>
      </a>
      <span class="stage quiet">
        {job.stage} · {title}
      </span>
      <a
        class="workflow code"
        href={links.filtered({ workflow_id: job.workflow_id })}
        aria-label={`Jobs of workflow ${job.workflow_id}`}
        title="Jobs of this workflow"
      >
        {job.workflow_id.slice(0, 8)}
      </a>
      {job.owner && job.owner !== me && (
        <a class="owner" href={links.filtered({ owner: job.owner })} title={`Jobs of ${job.owner}`}>
          <bdi>{job.owner}</bdi>
        </a>
      )}
      <Took job={job} />
      <span class="when quiet">
        <Ago at={job.created_at} />
      </span>
      {children}
      {under && <progress aria-label={`Progress of ${title}`} max={100} value={job.progress} />}
      {message && job.finished_at === null && (
        <p class="quiet message">
          <bdi>{message}</bdi>
        </p>
      )}
      {job.error && job.status !== 'cancelled' && (
        <p class="why" title={job.error.message}>
          <bdi>{job.error.message}</bdi> <code>{job.error.code}</code>
        </p>
      )}
    </li>
  )
}

/** From its start to its end, or until now. */
function Took({ job: { processed_at, finished_at } }: { job: JobSummary }) {
  const isRunning = processed_at !== null && finished_at === null
  const now = useNow(isRunning ? 1000 : 0)
  if (processed_at === null) return <span class="took" />
  return (
    <span class="took">
      <span class="unseen">{isRunning ? 'runs for ' : 'took '}</span>
      {finished_at === null ? wholeSeconds(now - processed_at) : span(finished_at - processed_at)}
    </span>
  )
}
