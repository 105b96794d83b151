/**
 * Advances a run: computes its next state from its stored state and the states of its jobs. The function is pure, so
 * repeating it gives the same result.
 */
import type { JobSnapshot } from '../contract/job.ts'
import { becauseOf, UNCHANGED } from './because.ts'
import { isDead, isDone, isFinished, isLive, type RunDocument, type Step, statusOf } from './document.ts'
import { stepJobId } from './ids.ts'
import { contentOf, type Ingredients, type KnownResult, keyOf, keyOfResult, newestFirst } from './result.ts'

/** The final state of a job; `removed` if it was removed before it had one. */
export type JobEnd = JobSnapshot | 'removed'

export interface Knowledge {
  /** The stored results of the workflow. */
  results: readonly KnownResult[]
  /** The ended jobs of live steps, by job ID. */
  ends: ReadonlyMap<string, JobEnd>
  /** Epoch ms. */
  now: number
}

export interface Next {
  document: RunDocument
  /** Results that the workflow does not have yet, and those that have changed. */
  results: KnownResult[]
}

export function advance(document: RunDocument, knowledge: Knowledge): Next {
  if (isFinished(document)) return { document, results: [] }
  const next: RunDocument = { ...document, steps: document.steps.map((step) => ({ ...step })) }
  const results = new Map(knowledge.results.map((result) => [result.job_id, result]))
  const changed: KnownResult[] = []
  const keep = (result: KnownResult) => {
    results.set(result.job_id, result)
    changed.push(result)
  }
  for (const step of next.steps) {
    const end = isLive(step) && step.job_id !== null ? knowledge.ends.get(step.job_id) : undefined
    if (end) takeIn(next, step, end, [...results.values()], knowledge.now, keep)
  }
  // Steps are in order, so a step's predecessors are decided first.
  for (const step of next.steps)
    if (step.status === 'pending') decideOn(next, step, [...results.values()], knowledge, keep)
  next.status = statusOf(next)
  if (isFinished(next)) next.finished_at = knowledge.now
  return { document: next, results: changed }
}

type Keep = (result: KnownResult) => void

/** The job of a step has ended. */
function takeIn(
  run: RunDocument,
  step: Step,
  end: JobEnd,
  results: readonly KnownResult[],
  now: number,
  keep: Keep,
): void {
  if (end === 'removed') {
    const message = 'the job was removed from the queue before it had ended'
    step.status = 'failed'
    step.error = { code: 'JOB_REMOVED', message, retryable: false, attempt: step.attempt }
    return
  }
  Object.assign(step, { attempt: end.attempt, progress: end.progress, error: end.error })
  for (const result of goneFrom(run, end, results)) keep({ ...result, gone: true })
  if (end.status !== 'completed' || !end.result) {
    step.status = end.status === 'cancelled' ? 'cancelled' : 'failed'
    return
  }
  const content = contentOf(end.result, end.job_id)
  const result: KnownResult = {
    ...ingredientsOf(run, step),
    version: end.result.version ?? '',
    job_id: end.job_id,
    content,
    finished_at: end.finished_at ?? now,
    since: step.gate ? now : null,
    decision: step.gate ? approvalOf(step.stage, content, results) : null,
  }
  keep(result)
  settle(step, result, now)
  // A cancelled run needs no decision.
  if (run.cancelled_at !== null && step.status === 'awaiting_sign_off') step.status = 'cancelled'
}

/** The results whose files were gone when a job needed them. */
function goneFrom(run: RunDocument, { error }: JobSnapshot, results: readonly KnownResult[]): KnownResult[] {
  const gone = [...run.given, ...run.steps].filter(({ stage }) => error?.gone?.includes(stage))
  return results.filter(({ job_id }) => gone.some((one) => one.job_id === job_id))
}

/** Decides from a step's predecessors whether the step starts, reuses a result or is skipped. */
function decideOn(
  run: RunDocument,
  step: Step,
  results: readonly KnownResult[],
  { now }: Knowledge,
  keep: Keep,
): void {
  const before = run.steps.filter(({ stage }) => step.upstream.includes(stage))
  if (run.cancelled_at !== null || before.some(isDead)) {
    step.status = 'skipped'
    return
  }
  if (!before.every(isDone)) return
  const wanted = ingredientsOf(run, step)
  const found = step.rerun ? undefined : reusable(wanted, results)
  if (found) {
    const decision = step.gate ? (found.decision ?? approvalOf(step.stage, found.content, results)) : null
    const since = step.gate ? (found.since ?? now) : null
    const result = { ...found, since, decision }
    if (since !== found.since || decision !== found.decision) keep(result)
    Object.assign(step, { job_id: found.job_id, because: UNCHANGED, progress: 100 })
    settle(step, result, now)
    return
  }
  const [latest] = newestFirst(results.filter(({ stage }) => stage === step.stage))
  const reasons = { rerun: step.rerun, lastEnd: step.last_end, waitsFor: null }
  const round = step.round + 1
  Object.assign(step, {
    status: 'queued',
    round,
    job_id: stepJobId(run.run_id, step.stage, round),
    because: becauseOf(wanted, latest, reasons),
  })
}

/** The step has a result. A gate waits, unless the same content was approved before. */
function settle(step: Step, { content, since, decision }: KnownResult, now: number): void {
  step.content = content
  step.status = step.round === 0 ? 'reused' : 'completed'
  if (!step.gate) return
  step.sign_off = { digest: content, since: since ?? now, decision }
  if (!decision) step.status = 'awaiting_sign_off'
}

/** What a step's result depends on; predecessors without a result are left out. */
export function ingredientsOf(run: RunDocument, step: Step): Ingredients {
  const contents = [...run.given, ...run.steps].flatMap(({ stage, content }) =>
    step.upstream.includes(stage) && content !== null ? [[String(stage), content] as const] : [],
  )
  const { stage, version, inputs } = step
  return {
    stage,
    version,
    inputs,
    research_question: run.research_question,
    upstream: Object.fromEntries(contents),
  }
}

/** The newest result with the same ingredients; null if it was rejected, so that the step runs again. */
export function reusable(wanted: Ingredients, results: readonly KnownResult[]): KnownResult | undefined {
  const key = keyOf(wanted)
  const newest = newestFirst(results).find(
    (result) => result.stage === wanted.stage && !result.gone && keyOfResult(result) === key,
  )
  return newest?.decision?.verdict === 'rejected' ? undefined : newest
}

/** The approval of this content; null if there is none, or if a rerun of the gate has voided it. */
export function approvalOf(stage: number, content: string, results: readonly KnownResult[]) {
  const approved = newestFirst(results).find(
    (one) => one.stage === stage && one.content === content && one.decision?.verdict === 'approved',
  )
  return approved?.decision ?? null
}
