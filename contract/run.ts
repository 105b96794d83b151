/** A workflow run as the API returns it: one pass of a workflow through several stages. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { JobError, JobStatus } from './events.ts'
import { StageNumber, Uuid } from './job.ts'

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Millis = Type.Integer({ description: 'epoch milliseconds' })
const words = <const W extends string>(...all: W[]) => all.map((word) => Type.Literal(word))

export const RunStatus = Type.Union(
  words('running', 'waiting', 'cancelling', 'completed', 'failed', 'rejected', 'cancelled', 'superseded'),
  { title: 'RunStatus' },
)
export type RunStatus = Static<typeof RunStatus>

/** Status of a step: that of its job, or a status that only steps have. */
export const StepStatus = Type.Union(
  [...JobStatus.anyOf, ...words('pending', 'reused', 'awaiting_sign_off', 'rejected', 'skipped', 'deleted')],
  { title: 'StepStatus' },
)
export type StepStatus = Static<typeof StepStatus>

/** Digest of a stage's result. */
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal' })

export const Verdict = Type.Union(words('approved', 'rejected'), { title: 'Verdict' })
export type Verdict = Static<typeof Verdict>

export const Decision = Type.Object(
  { verdict: Verdict, by: Type.String(), at: Millis, reason: Nullable(Type.String()) },
  { title: 'Decision' },
)
export type Decision = Static<typeof Decision>

export const StepSignOff = Type.Object(
  { digest: Digest, since: Millis, decision: Nullable(Decision) },
  {
    title: 'StepSignOff',
    description: 'digest of the result to sign, when the wait began, and the decision',
  },
)
export type StepSignOff = Static<typeof StepSignOff>

const STEP = {
  stage: StageNumber,
  status: StepStatus,
  job_id: Nullable(Uuid),
  attempt: Type.Integer({ minimum: 0 }),
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  because: Type.String({ description: 'one sentence: why the step runs or does not run' }),
  error: Nullable(JobError),
}

/** `run_if_changed`: the step has a completed result, but depends on a step that runs. */
export const Action = Type.Union(words('run', 'reuse', 'run_if_changed'), { title: 'Action' })
export type Action = Static<typeof Action>

export const PlanStep = Type.Object(
  {
    ...STEP,
    action: Action,
    sign_off: Type.Union([Type.Boolean(), Type.Literal('if_changed')], {
      description: 'whether the step will wait for a person',
    }),
    estimate_ms: Nullable(Type.Object({ p50: Type.Integer(), p90: Type.Integer() }, { title: 'Estimate' })),
  },
  { title: 'PlanStep' },
)
export type PlanStep = Static<typeof PlanStep>
