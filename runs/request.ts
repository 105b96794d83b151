/** Checks a request for a run and creates the run, which has not started. */
import type { Catalogue, CatalogueStage } from '../contract/catalogue.ts'
import type { RunDocument, Step } from './document.ts'
import { isPreview, type KnownResult, newestFirst } from './result.ts'

/** The body of a request for a run. */
export interface RunRequest {
  stages: number[]
  name?: string | undefined
  research_question?: string | undefined
  inputs?: Record<string, Record<string, unknown>> | undefined
  rerun?: number[] | undefined
}

export interface RunFault {
  /** A JSON Pointer inside the body. */
  path: string
  message: string
}

/** The faults of a request that do not depend on the workflow. Assumes that the request matches its schema. */
export function requestFaults(request: RunRequest, catalogue: Catalogue): RunFault[] {
  const { stages, research_question, inputs = {}, rerun = [] } = request
  const faults: RunFault[] = []
  const fault = (path: string, message: string) => faults.push({ path, message })
  for (const [i, stage] of stages.entries()) {
    if (!catalogue.get(stage))
      fault(`/stages/${i}`, 'is not a stage of the catalogue; GET /api/workflow/stages lists them')
    else if (stages.indexOf(stage) < i) fault(`/stages/${i}`, 'is listed twice')
  }
  const asking = stages.find((stage) => catalogue.get(stage)?.needs_question)
  if (asking !== undefined && research_question === undefined)
    fault('/research_question', `is required: stage ${asking} needs it`)
  for (const [stage, value] of Object.entries(inputs)) {
    if (!stages.some((one) => String(one) === stage)) fault(`/inputs/${stage}`, NOT_ASKED)
    else
      for (const { instancePath, message = 'is not valid' } of catalogue.inputFaults(Number(stage), value))
        fault(`/inputs/${stage}${instancePath}`, message)
  }
  for (const [i, stage] of rerun.entries()) if (!stages.includes(stage)) fault(`/rerun/${i}`, NOT_ASKED)
  return faults
}

const NOT_ASKED = 'belongs to a stage that is not in stages'

export interface Origin {
  run_id: string
  workflow_id: string
  user_id: string
  fingerprint: string
  now: number
  /** The current version of each stage. */
  versionOf(stage: number): string
  /** The previous run, if there was one. */
  previous: RunDocument | null
}

export interface NewRun {
  run: RunDocument
  /** Approvals that a rerun of their gates voids. */
  voided: KnownResult[]
}

/** Returns a run whose steps are all pending, or the needs that are not met. */
export function newRun(
  request: RunRequest,
  catalogue: Catalogue,
  results: readonly KnownResult[],
  { now, versionOf, previous, ...origin }: Origin,
): NewRun | { missing: { stage: number; needs: number }[] } {
  const asked = request.stages.flatMap((stage) => catalogue.get(stage) ?? [])
  const wanted = (stage: number) => request.stages.includes(stage)
  const found = new Map<number, KnownResult>()
  const missing: { stage: number; needs: number }[] = []
  for (const { stage, needs, uses } of asked) {
    for (const one of [...needs, ...uses].filter((other) => !wanted(other))) {
      const usable = usableResult(one, catalogue, results)
      if (usable) found.set(one, usable)
      else if (needs.includes(one)) missing.push({ stage, needs: one })
    }
  }
  if (missing.length > 0) return { missing }
  const rerun = new Set(request.rerun)
  const steps = inOrder(asked).map(({ stage, needs, uses, sign_off }): Step => {
    const last = previous?.steps.find((step) => step.stage === stage)
    return {
      stage,
      version: versionOf(stage),
      inputs: request.inputs?.[stage] ?? {},
      upstream: [...new Set([...needs, ...uses])].filter((one) => wanted(one) || found.has(one)),
      gate: sign_off,
      rerun: rerun.has(stage),
      status: 'pending',
      job_id: null,
      round: 0,
      because: '',
      last_end: last?.status === 'failed' ? 'failed' : last?.status === 'cancelled' ? 'was cancelled' : null,
      content: null,
      sign_off: null,
      error: null,
      attempt: 0,
      progress: 0,
    }
  })
  const run: RunDocument = {
    ...origin,
    name: request.name ?? null,
    research_question: request.research_question ?? null,
    status: 'running',
    created_at: now,
    finished_at: null,
    cancelled_at: null,
    steps,
    given: [...found.values()].map(({ stage, job_id, content }) => ({ stage, job_id, content })),
  }
  const voided = results.flatMap((result) =>
    rerun.has(result.stage) && result.decision?.verdict === 'approved' ? { ...result, decision: null } : [],
  )
  return { run, voided }
}

/** The usable result of a stage that is not part of the run. Previews do not count, and a gate's result must be approved. */
function usableResult(stage: number, catalogue: Catalogue, results: readonly KnownResult[]) {
  const isGate = catalogue.get(stage)?.sign_off ?? false
  return newestFirst(results).find(
    (result) =>
      result.stage === stage &&
      !isPreview(result) &&
      !result.gone &&
      result.decision?.verdict !== 'rejected' &&
      (!isGate || result.decision !== null),
  )
}

/** Sorts stages by number, but each after the stages that it needs or uses. The catalogue has no cycles. */
function inOrder(stages: readonly CatalogueStage[]): CatalogueStage[] {
  const left = [...stages].sort((a, b) => a.stage - b.stage)
  const ordered: CatalogueStage[] = []
  while (left.length > 0) {
    const waits = ({ needs, uses }: CatalogueStage) =>
      left.some(({ stage }) => needs.includes(stage) || uses.includes(stage))
    const next = Math.max(
      0,
      left.findIndex((stage) => !waits(stage)),
    )
    ordered.push(...left.splice(next, 1))
  }
  return ordered
}
