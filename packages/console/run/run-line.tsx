/** The steps of a run as a line of stages: state, duration, and why each ran, was reused, or waits. */
import { useEffect, useState } from 'preact/hooks'
import type { Decision } from '../../../contract/run.ts'
import type { Run, RunStep } from '../../client/index.ts'
import type { WatchedJob } from '../../client/workflow-view.ts'
import { blameOf } from '../job/blame.ts'
import { messageOf } from '../job/hint.ts'
import { span, Time, wholeSeconds } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'
import { decisionBefore } from './decision-before.ts'
import { statusWord, whyOf } from './words.ts'

export type Jobs = ReadonlyMap<string, WatchedJob>

interface LineProps {
  run: Run
  jobs: Jobs
  /** Runs before it, newest first. */
  earlier: readonly Run[]
  isMine: boolean
}

export function RunLine({ run, jobs, earlier, isMine }: LineProps) {
  return (
    <ol class="line" aria-label="Steps">
      {run.steps.map((step) => (
        <Step
          key={step.stage}
          step={step}
          run={run}
          job={jobs.get(step.job_id ?? '')}
          before={decisionBefore(step.stage, earlier)}
          isMine={isMine}
        />
      ))}
    </ol>
  )
}

const LIVE = ['queued', 'active', 'retrying', 'cancelling']

interface StepProps {
  step: RunStep
  run: Run
  job: WatchedJob | undefined
  /** The decision on an earlier result. */
  before: Decision | null
  isMine: boolean
}

function Step({ step, run, job, before, isMine }: StepProps) {
  const { stages } = useStages()
  const title = titleOf(stages, step.stage)
  // The job's events come before the run is read again.
  const live = LIVE.includes(step.status) && job && LIVE.includes(job.status) ? job : null
  const status = live?.status ?? step.status
  const decision = step.sign_off?.decision
  const message = live ? messageOf(live) : ''
  return (
    <li class={`stop ${status}`}>
      <span class="mark" aria-hidden="true">
        {step.stage}
      </span>
      <div class="told">
        <div class="row">
          {step.job_id && isMine && step.status !== 'deleted' ? (
            <a class="name" href={links.job({ stage: step.stage, job_id: step.job_id })}>
              {title}
            </a>
          ) : (
            <span class="name">{title}</span>
          )}
          <span class={`badge ${status}`}>{statusWord(status)}</span>
          {job && step.status !== 'reused' && <Took job={job} />}
        </div>
        <p class="quiet why">{whyOf(step, run.steps, stages)}</p>
        {live && status !== 'queued' && (
          <progress aria-label={`Progress of ${title}`} max={100} value={live.progress} />
        )}
        {message && (
          <p class="quiet message">
            <bdi>{message}</bdi>
          </p>
        )}
        {step.error && status !== 'cancelled' && status !== 'skipped' && (
          <p class="wrong">
            <bdi>{step.error.message}</bdi> <code>{step.error.code}</code>
          </p>
        )}
        {step.error && status === 'failed' && <p class="advice">{blameOf(step.error).advice}</p>}
        {step.status === 'awaiting_sign_off' && before?.verdict === 'approved' && (
          <p class="voided">
            The approval by <bdi>{before.by}</bdi> on <Time at={before.at} /> no longer counts, because the
            result is new.
          </p>
        )}
        {decision && (
          <p class="quiet decision">
            {decision.verdict === 'approved' ? 'Approved' : 'Rejected'} by <bdi>{decision.by}</bdi>,{' '}
            <Time at={decision.at} />
            {decision.reason && (
              <>
                : <bdi>“{decision.reason}”</bdi>
              </>
            )}
          </p>
        )}
      </div>
    </li>
  )
}

/** How long a job has run; stops when it ends. */
function Took({ job: { processed_at, created_at, finished_at } }: { job: WatchedJob }) {
  const [, setTick] = useState(0)
  const runs = processed_at !== null && finished_at === null
  useEffect(() => {
    if (!runs) return
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000)
    return () => clearInterval(timer)
  }, [runs])
  const from = processed_at ?? created_at
  if (finished_at !== null) return <span class="quiet took">{span(finished_at - from)}</span>
  return runs ? <span class="quiet took">{wholeSeconds(Date.now() - from)}</span> : null
}
