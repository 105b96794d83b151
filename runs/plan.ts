/** The plan of a run: what each step will do, and why. */
import type { Action, PlanStep } from '../contract/run.ts'
import { approvalOf, ingredientsOf, reusable } from './advance.ts'
import { becauseOf, UNCHANGED } from './because.ts'
import type { RunDocument, Step } from './document.ts'
import { type KnownResult, newestFirst } from './result.ts'

export type Estimate = PlanStep['estimate_ms']

/** `run`: the new run. `results`: the stored results of its workflow. */
export function planOf(
  run: RunDocument,
  results: readonly KnownResult[],
  estimateOf: (stage: number) => Estimate,
): PlanStep[] {
  const planned: RunDocument = { ...run, steps: run.steps.map((step) => ({ ...step })) }
  const actions = new Map<number, Action>()
  return planned.steps.map((step) => {
    const found = actionOf(planned, step, results, actions)
    const { action, result, because } = found
    actions.set(step.stage, action)
    step.content = result?.content ?? null
    const sign_off = step.gate && waitsFor(step, found, results)
    const status = !result ? 'pending' : sign_off ? 'awaiting_sign_off' : 'reused'
    return {
      stage: step.stage,
      status,
      job_id: result?.job_id ?? null,
      attempt: 0,
      progress: result ? 100 : 0,
      because,
      error: null,
      action,
      sign_off,
      estimate_ms: result ? null : estimateOf(step.stage),
    }
  })
}

interface Planned {
  action: Action
  because: string
  /** Set if the step is reused. */
  result?: KnownResult
}

function actionOf(
  run: RunDocument,
  step: Step,
  results: readonly KnownResult[],
  actions: ReadonlyMap<number, Action>,
): Planned {
  const own = newestFirst(results.filter(({ stage }) => stage === step.stage))
  const runs = step.upstream.find((stage) => (actions.get(stage) ?? 'reuse') !== 'reuse')
  const ranBefore = results.some(({ stage }) => stage === runs)
  const wanted = ingredientsOf(run, step)
  if (runs === undefined && !step.rerun) {
    const result = reusable(wanted, results)
    if (result) return { action: 'reuse', because: UNCHANGED, result }
  }
  const because = becauseOf(wanted, own[0], {
    rerun: step.rerun,
    lastEnd: step.last_end,
    waitsFor: runs === undefined ? null : { stage: runs, ranBefore },
  })
  const mayBeReused = runs !== undefined && !step.rerun && own.some(isKept)
  return { action: mayBeReused ? 'run_if_changed' : 'run', because }
}

function isKept({ decision, gone }: KnownResult): boolean {
  return decision?.verdict !== 'rejected' && !gone
}

/** Whether a gate will wait for a person. */
function waitsFor(
  { stage, rerun }: Step,
  { result }: Planned,
  results: readonly KnownResult[],
): PlanStep['sign_off'] {
  if (result) return !(result.decision ?? approvalOf(stage, result.content, results))
  const wasApproved = results.some((one) => one.stage === stage && one.decision?.verdict === 'approved')
  return rerun || !wasApproved ? true : 'if_changed'
}
