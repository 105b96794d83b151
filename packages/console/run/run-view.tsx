/** A run on the page: its state, its line of stages, and its gates. */
import { useEffect, useState } from 'preact/hooks'
import type { Run } from '../../client/index.ts'
import { stagecast } from '../api/api.ts'
import { Cancel } from '../page/cancel.tsx'
import { Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'
import { countAgain } from '../state/waiting.ts'
import { Changes } from './changes.tsx'
import { decisionBefore } from './decision-before.ts'
import { Gate, gateId } from './gate.tsx'
import { MainDocument } from './main-document.tsx'
import { Results } from './results.tsx'
import { type Jobs, RunLine } from './run-line.tsx'
import { statusWord } from './words.ts'

const TOP = 'run'
const LIVE = ['running', 'waiting', 'cancelling']
/** Without all of its results. */
const ENDED = ['failed', 'rejected', 'cancelled']
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
  const { stages } = useStages()
  const name = (stage: number) => `stage ${stage}, ${titleOf(stages, stage)}`
  const [approved, setApproved] = useState<number | null>(null)
  const gates = run.steps.filter(({ status }) => status === 'awaiting_sign_off')
  const kept = ENDED.includes(run.status) && earlier.find(({ status }) => status === 'completed')
  const waiting = gates.map(({ stage }) => `${run.run_id} ${stage}`).join()
  useEffect(() => {
    countAgain()
  }, [waiting])
  return (
    <>
      <section class={`run card ${run.status}`} id={TOP} tabIndex={-1} aria-label="Run">
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
              Run again
            </a>
          )}
        </div>
        <div role="status" class="row">
          {approved !== null && run.status !== 'rejected' && (
            <span class="done">You approved {name(approved)}.</span>
          )}
          {run.status === 'completed' && (
            <span class="done">Every stage is done. The results are below, the latest first.</span>
          )}
        </div>
        {run.status === 'completed' && (
          <div class="actions">
            <MainDocument run={run} />
          </div>
        )}
        {kept && (
          <p>
            The results of an earlier run are kept: <a href={links.run(kept)}>see the completed run</a>
          </p>
        )}
        {gates.length > 0 && (
          <div class="actions">
            {gates.map(({ stage }) => (
              <button key={stage} type="button" class="primary" onClick={() => goTo(gateId(stage))}>
                Review {name(stage)}
              </button>
            ))}
          </div>
        )}
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
          onApproved={() => {
            setApproved(step.stage)
            // The next gate may open in the same place; this keeps its button from being pressed by mistake.
            goTo(TOP)
          }}
        />
      ))}
      <Results run={run} isMine={isMine} />
    </>
  )
}

function goTo(id: string): void {
  const element = document.getElementById(id)
  element?.focus({ preventScroll: true })
  element?.scrollIntoView({ block: 'start' })
}
