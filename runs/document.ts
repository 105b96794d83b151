/** The stored form of a run, and how its status follows from its steps. */
import type { JobError } from '../contract/events.ts'
import type { RunStatus, StepSignOff, StepStatus } from '../contract/run.ts'

export interface Step {
  stage: number
  /** The stage's version when the run was requested. */
  version: string
  inputs: Record<string, unknown>
  /** Stages whose results it uses: all it `needs`, and those it `uses` that have a result. */
  upstream: number[]
  /** Whether its catalogue entry requires a sign-off. */
  gate: boolean
  /** Whether it runs even if a result could be reused. */
  rerun: boolean
  /** `queued` until its job has ended; the job has the details. */
  status: StepStatus
  job_id: string | null
  /** Number of jobs it has had. */
  round: number
  because: string
  /** How its job in the previous run ended, if it gave no result. */
  last_end: string | null
  /** Digest of its result. */
  content: string | null
  sign_off: StepSignOff | null
  error: JobError | null
  attempt: number
  progress: number
}

/** A result that the run uses, from a stage that is not one of its steps. */
export interface Given {
  stage: number
  job_id: string
  content: string
}

export interface RunDocument {
  run_id: string
  workflow_id: string
  user_id: string
  name: string | null
  research_question: string | null
  status: RunStatus
  created_at: number
  finished_at: number | null
  /** When the cancel was requested, epoch ms. */
  cancelled_at: number | null
  /** Digest of the request; a repeat with the same Idempotency-Key must match it. */
  fingerprint: string
  /** Each step comes after those whose results it uses. */
  steps: Step[]
  given: Given[]
}

/** Whether its job has not ended yet. */
export function isLive({ status }: Pick<Step, 'status'>): boolean {
  return status === 'queued'
}

/** Whether later steps may use its result. */
export function isDone({ status }: Pick<Step, 'status'>): boolean {
  return status === 'completed' || status === 'reused'
}

/** Whether the step will never have a usable result. */
export function isDead({ status }: Pick<Step, 'status'>): boolean {
  return ['failed', 'cancelled', 'rejected', 'skipped', 'deleted'].includes(status)
}

const FINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'rejected', 'cancelled', 'superseded'])

export function isFinished({ status }: Pick<RunDocument, 'status'>): boolean {
  return FINAL.has(status)
}

/** The status that follows from the steps. */
export function statusOf({ steps, cancelled_at }: Pick<RunDocument, 'steps' | 'cancelled_at'>): RunStatus {
  const has = (status: StepStatus) => steps.some((step) => step.status === status)
  if (steps.some(isLive)) return cancelled_at === null ? 'running' : 'cancelling'
  if (has('awaiting_sign_off')) return 'waiting'
  if (has('failed')) return 'failed'
  if (has('rejected')) return 'rejected'
  // If only the job of a step is cancelled, the steps that depend on it are skipped.
  if (has('cancelled') || cancelled_at !== null) return 'cancelled'
  return 'completed'
}
