/** The plan of a run: what each stage would do, and why. */
import type { Decision, PlanStep } from '../../../contract/run.ts'
import { duration, Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { capital } from './words.ts'

const ACTIONS = { run: 'will run', reuse: 'reused', run_if_changed: 'runs if something changes' }

interface PlanProps {
  steps: readonly PlanStep[]
  rerun: readonly number[]
  /** The form has changed since, and a new plan is on its way. */
  isStale: boolean
  /** By stage, what was approved so far. */
  approvals: ReadonlyMap<number, Decision>
  /** Stages whose sources the user chose: what their services say of the usual ones is not true then. */
  ownSources: readonly number[]
  onRerun: (rerun: number[]) => void
}

export function PlanView({ steps, rerun, isStale, approvals, ownSources, onRerun }: PlanProps) {
  const { stages } = useStages()
  const toggle = (stage: number, on: boolean) =>
    onRerun(on ? [...rerun, stage] : rerun.filter((one) => one !== stage))
  return (
    <section class={isStale ? 'card plan stale' : 'card plan'} aria-labelledby="plan" aria-busy={isStale}>
      <h2 id="plan" tabIndex={-1}>
        The plan
      </h2>
      <p role="status">{summary(steps, approvals)}</p>
      <ol class="line">
        {steps.map(({ stage, action, because, sign_off, estimate_ms }) => (
          <li key={stage} class={`stop ${action}`}>
            <span class="mark" aria-hidden="true">
              {stage}
            </span>
            <div class="told">
              <div class="row">
                <span class="name">{titleOf(stages, stage)}</span>
                <span class={`badge ${action}`}>{ACTIONS[action]}</span>
                {estimate_ms && action !== 'reuse' && (
                  <span class="quiet">about {duration(estimate_ms.p50)}</span>
                )}
                {(action !== 'run' || rerun.includes(stage)) && (
                  <label class="choice push">
                    <input
                      type="checkbox"
                      checked={rerun.includes(stage)}
                      onChange={(event) => toggle(stage, event.currentTarget.checked)}
                    />
                    Run stage {stage} again
                  </label>
                )}
              </div>
              <p class="quiet why">
                {plannedWhy(action, because)}.{sign_off === true && ' Then it waits for a sign-off.'}
                {sign_off === 'if_changed' && ' If its result changes, it waits for a sign-off again.'}
              </p>
              {action !== 'reuse' && !ownSources.includes(stage) && <NoteOf stage={stage} />}
              <Approval sign_off={sign_off} approval={approvals.get(stage)} />
            </div>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** A stage behind another one only runs if that one makes something else. */
function plannedWhy(action: PlanStep['action'], because: string): string {
  const behind = action === 'run_if_changed' && /^(stage \d+) runs/.exec(because)?.[1]
  return behind ? `Runs if the result of ${behind} changes` : capital(because)
}

/** What its service says that people should know before it runs. */
function NoteOf({ stage }: { stage: number }) {
  const note = useStages().stages?.find((one) => one.stage === stage)?.note
  return note ? (
    <p class="stage-note">
      <bdi>{note}</bdi>
    </p>
  ) : null
}

/** What becomes of an approval that was given before. */
function Approval({
  sign_off,
  approval,
}: {
  sign_off: PlanStep['sign_off']
  approval: Decision | undefined
}) {
  if (!approval) return null
  const given = (
    <>
      The approval by <bdi>{approval.by}</bdi> on <Time at={approval.at} />
    </>
  )
  if (sign_off === false) return <p class="quiet">{given} remains valid.</p>
  return (
    <p class="voided">
      {given} {sign_off === true ? 'becomes void.' : 'becomes void if the result changes.'}
    </p>
  )
}

function summary(steps: readonly PlanStep[], approvals: PlanProps['approvals']): string {
  const count = (wanted: PlanStep['action']) => steps.filter(({ action }) => action === wanted).length
  const voided = (wanted: PlanStep['sign_off']) =>
    steps.filter(({ stage, sign_off }) => sign_off === wanted && approvals.has(stage)).length
  const parts = [
    [count('run'), 'to run'],
    [count('run_if_changed'), 'to run if an earlier stage changes'],
    [count('reuse'), 'to reuse'],
    [steps.filter(({ sign_off }) => sign_off === true).length, 'to sign off'],
  ] as const
  const approved = [
    [voided(true), 'void'],
    [voided('if_changed'), 'void if a result changes'],
  ] as const
  const told = [
    ...parts.flatMap(([n, what]) => (n > 0 ? [`${n} ${what}`] : [])),
    ...approved.flatMap(([n, what]) => (n > 0 ? [`${n} ${n === 1 ? 'approval' : 'approvals'} ${what}`] : [])),
  ]
  return `${told.join(', ')}.`
}
