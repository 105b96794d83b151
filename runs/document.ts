/** What is stored of a run, and what its steps amount to. */
import type { JobError } from '../contract/events.ts'
import type { RunStatus, StepSignOff, StepStatus } from '../contract/run.ts'

export interface Step {
  stage: number
  /** The version that there was when the run was asked for. */
  version: string
  inputs: Record<string, unknown>
  /** Stages whose results it works on: all that it needs, and what it uses of what there is. */
  upstream: number[]
  /** Whether its catalogue entry says that a person signs off. */
  gate: boolean
  /** Whether it runs although there is a result. */
  rerun: boolean
  /** `queued` as long as its job lives: the job itself tells more. */
  status: StepStatus
  job_id: string | null
  /** Jobs it has had. */
  round: number
  because: string
  /** How its job in the run before ended, if that gave no result. */
  last_end: string | null
  /** Of its result. */
  content: string | null
  sign_off: StepSignOff | null
  error: JobError | null
  attempt: number
  progress: number
}

/** A result of the workflow that the run works on and did not ask for. */
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
  /** When cancelling was asked for, epoch ms. */
  cancelled_at: number | null
  /** What was asked for, in one normal form: a repeat of its Idempotency-Key is held against it. */
  fingerprint: string
  /** Nothing stands before what it works on. */
  steps: Step[]
  given: Given[]
}

/** Whether its job lives. */
export function isLive({ status }: Pick<Step, 'status'>): boolean {
  return status === 'queued'
}

/** Whether what stands behind the step may work on its result. */
export function isDone({ status }: Pick<Step, 'status'>): boolean {
  return status === 'completed' || status === 'reused'
}

/** Whether the step never gives a result that may be worked on. */
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
  // A step whose job was cancelled by itself takes what stands behind it along.
  if (has('cancelled') || cancelled_at !== null) return 'cancelled'
  return 'completed'
}
