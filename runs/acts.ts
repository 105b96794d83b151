/** What people do to a run: decide at a gate, cancel it, or supersede it with another one. */
import type { Decision } from '../contract/run.ts'
import type { Next } from './advance.ts'
import { isFinished, type RunDocument } from './document.ts'
import type { KnownResult } from './result.ts'

export interface SignOff extends Decision {
  digest: string
}

/** `same`: the same decision was made before. */
export type DecideOutcome =
  | ({ kind: 'decided' } & Next)
  | { kind: 'same' | 'not-waiting' | 'content-changed' | 'decided-otherwise' }

export function decide(
  run: RunDocument,
  stage: number,
  { digest, ...decision }: SignOff,
  results: readonly KnownResult[],
): DecideOutcome {
  const step = run.steps.find((one) => one.stage === stage)
  if (!step?.sign_off) return { kind: 'not-waiting' }
  if (step.sign_off.digest !== digest) return { kind: 'content-changed' }
  const known = step.sign_off.decision
  if (known) return { kind: known.verdict === decision.verdict ? 'same' : 'decided-otherwise' }
  if (step.status !== 'awaiting_sign_off' || isFinished(run)) return { kind: 'not-waiting' }
  const accepted = step.round === 0 ? 'reused' : 'completed'
  const decided = {
    ...step,
    status: decision.verdict === 'approved' ? accepted : decision.verdict,
    sign_off: { ...step.sign_off, decision },
  } as const
  return {
    kind: 'decided',
    document: { ...run, steps: run.steps.map((one) => (one === step ? decided : one)) },
    results: results.filter(({ job_id }) => job_id === step.job_id).map((one) => ({ ...one, decision })),
  }
}

/** Returns null if the run has finished. Steps that wait for a person end at once; the engine cancels the jobs of running steps. */
export function cancel(run: RunDocument, now: number): RunDocument | null {
  if (isFinished(run)) return null
  const steps = run.steps.map((step) =>
    step.status === 'awaiting_sign_off' ? { ...step, status: 'cancelled' as const } : step,
  )
  return { ...run, cancelled_at: run.cancelled_at ?? now, steps }
}

/** A new run of the workflow replaces a waiting one. */
export function supersede(run: RunDocument, now: number): RunDocument {
  const steps = run.steps.map((step) =>
    ['pending', 'awaiting_sign_off'].includes(step.status) ? { ...step, status: 'skipped' as const } : step,
  )
  return { ...run, status: 'superseded', finished_at: now, steps }
}
