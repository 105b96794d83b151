/** One job: its progress while it runs, and its result. */
import type { JobSnapshot } from '../../../contract/job.ts'
import { words } from '../form/schema.ts'
import { inShort } from '../page/in-short.ts'
import { Failure, Heading, Loading, Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { type PlanDecisions, Result } from '../review/result.tsx'
import { links } from '../state/route.ts'
import { Announcer } from './announcer.tsx'
import { JobCard } from './job-card.tsx'
import { RunAgain } from './run-again.tsx'
import { Steps } from './steps.tsx'
import { Undecided } from './undecided.tsx'
import { isOver, type JobView, useJob } from './use-job.ts'

interface PageProps {
  stage: number
  job_id: string
  planDecisions: PlanDecisions
}

export function JobPage({ stage, job_id, planDecisions }: PageProps) {
  const view = useJob(stage, job_id)
  const { stages } = useStages()
  const { snapshot, status, progress } = view
  const title = titleOf(stages, stage)
  if (!snapshot) return view.failure ? <Missing text={view.failure} /> : <Loading what="the job" />
  return (
    <>
      <Heading
        above={<Above stage={stage} title={title} snapshot={snapshot} />}
        tab={{ status, percent: progress, title }}
      >
        <bdi>{snapshot.data.research_question ?? title}</bdi>
      </Heading>
      <Announcer view={view} />
      <JobCard view={view} job={{ stage, job_id }} />
      {view.failure && <Failure text={view.failure} />}
      {view.result && stages?.find((one) => one.stage === stage)?.sign_off && (
        <p class="note">
          In a run of its workflow, a person must sign off this result before it counts as done.{' '}
          <a href={links.workflow(snapshot.workflow_id)}>See the workflow</a>
        </p>
      )}
      {snapshot.result && <Undecided job={snapshot} />}
      {view.result && (
        <Result
          job={{ stage, job_id }}
          result={view.result}
          asked={snapshot.data}
          planDecisions={snapshot.run_id ? planDecisions : undefined}
        />
      )}
      <Steps view={view} folded={status === 'completed'} />
      <About view={view} />
    </>
  )
}

/** A step of a run is read on the way through its workflow. */
function Above({ stage, title, snapshot }: { stage: number; title: string; snapshot: JobSnapshot }) {
  return (
    <>
      Stage {stage} · {title}
      {snapshot.run_id && (
        <>
          {' · '}
          <a href={links.workflow(snapshot.workflow_id)}>Back to its workflow</a>
        </>
      )}
    </>
  )
}

function Missing({ text }: { text: string }) {
  return (
    <>
      <Heading>No such job</Heading>
      <Failure text={text} />
      <p>
        <a href={links.jobs}>See all jobs</a>
      </p>
    </>
  )
}

function About({ view }: { view: JobView }) {
  const { snapshot } = view
  if (!snapshot) return null
  const { data, stage } = snapshot
  const inputs = Object.entries(data.inputs)
  return (
    <section aria-labelledby="about">
      <h2 id="about">About this job</h2>
      <dl class="facts">
        <dt>Job</dt>
        <dd class="code">{snapshot.job_id}</dd>
        <dt>Workflow</dt>
        <dd class="code">
          <a href={links.workflow(snapshot.workflow_id)}>{snapshot.workflow_id}</a>
        </dd>
        {snapshot.retry_of && (
          <>
            <dt>Retry of</dt>
            <dd class="code">
              <a href={links.job({ stage, job_id: snapshot.retry_of })}>{snapshot.retry_of}</a>
            </dd>
          </>
        )}
        <dt>Started by</dt>
        <dd>
          <bdi>{data.user_id}</bdi>, <Time at={snapshot.created_at} />
        </dd>
        {inputs.length > 0 && (
          <>
            <dt>Options</dt>
            <dd>
              {inputs.map(([name, value]) => (
                <p key={name}>
                  {words(name)}: <bdi>{inShort(value)}</bdi>
                </p>
              ))}
            </dd>
          </>
        )}
      </dl>
      <div class="actions">
        {!isOver(view.status) && <RunAgain of={snapshot} />}
        <a class="button" href={links.workflow(snapshot.workflow_id)}>
          {isOver(view.status) ? 'See the workflow' : 'Watch the workflow'}
        </a>
      </div>
    </section>
  )
}
