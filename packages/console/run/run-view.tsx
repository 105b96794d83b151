/** A run on the page: its state, its line of stages, and its gates. */
import type { Run } from '../../client/index.ts'
import { stagecast } from '../api/api.ts'
import { Cancel } from '../page/cancel.tsx'
import { Time } from '../page/parts.tsx'
import { links } from '../state/route.ts'
import { Changes } from './changes.tsx'
import { decisionBefore } from './decision-before.ts'
import { Gate } from './gate.tsx'
import { Results } from './results.tsx'
import { type Jobs, RunLine } from './run-line.tsx'
import { statusWord } from './words.ts'

const LIVE = ['running', 'waiting', 'cancelling']
const DONE = ['completed', 'reused']

interface RunProps {
  run: Run
  jobs: Jobs
  /** Runs of the workflow before it, newest first; none where the user may not see them. */
  earlier: readonly Run[]
  /** Whether the user may see its jobs and cancel it: not those who only sign. */
  isMine: boolean
}

export function RunView({ run, jobs, earlier, isMine }: RunProps) {
  const done = run.steps.filter(({ status }) => DONE.includes(status)).length
  const gates = run.steps.filter(({ status }) => status === 'awaiting_sign_off')
  return (
    <>
      <section class={`run card ${run.status}`} aria-label="Run">
        <div class="row">
          <span class={`badge ${run.status}`}>{statusWord(run.status)}</span>
          <span class="quiet" role="status">
            {done} of {run.steps.length} {run.steps.length === 1 ? 'stage' : 'stages'} done
          </span>
          <span class="quiet">
            {run.name && (
              <>
                <bdi>{run.name}</bdi>,{' '}
              </>
            )}
            started <Time at={run.created_at} />
          </span>
          {isMine && LIVE.includes(run.status) && (
            <Cancel what="run" asked={run.status === 'cancelling'} send={() => stagecast.runs.cancel(run)} />
          )}
          {isMine && !LIVE.includes(run.status) && (
            <a class="button push" href={links.newRun(run.workflow_id)}>
              Run this workflow
            </a>
          )}
        </div>
        <RunLine run={run} jobs={jobs} earlier={earlier} isMine={isMine} />
        {earlier[0] && <Changes run={run} before={earlier[0]} />}
      </section>
      {gates.map((step) => (
        <Gate
          key={`${step.stage} ${step.sign_off?.digest}`}
          run={run}
          step={step}
          before={decisionBefore(step.stage, earlier)}
          isMine={isMine}
        />
      ))}
      <Results run={run} isMine={isMine} />
    </>
  )
}
