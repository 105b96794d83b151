/** A workflow run as the API returns it: one execution of several stages of a workflow. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { JobError, JobStatus } from './events.ts'
import { ResearchQuestion, StageNumber, Uuid } from './job.ts'

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Millis = Type.Integer({ description: 'epoch milliseconds' })
const words = <const W extends string>(...all: W[]) => all.map((word) => Type.Literal(word))

export const RunStatus = Type.Union(
  words('running', 'waiting', 'cancelling', 'completed', 'failed', 'rejected', 'cancelled', 'superseded'),
  { title: 'RunStatus' },
)
export type RunStatus = Static<typeof RunStatus>

/** Status of a step: the status of its job, or one that only steps have. */
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
    estimate_ms: Nullable(
      Type.Object({ p50: Type.Integer(), p90: Type.Integer() }, { title: 'StepEstimate' }),
    ),
  },
  { title: 'PlanStep' },
)
export type PlanStep = Static<typeof PlanStep>

export const RunStep = Type.Object({ ...STEP, sign_off: Nullable(StepSignOff) }, { title: 'RunStep' })
export type RunStep = Static<typeof RunStep>

const RUN = {
  run_id: Uuid,
  workflow_id: Uuid,
  name: Nullable(Type.String()),
  status: RunStatus,
  steps: Type.Array(RunStep),
  cursor: Type.String({ description: 'opaque; increases with every change' }),
  created_at: Millis,
  finished_at: Nullable(Millis),
  owner: Type.Optional(Type.String({ description: 'the owner, only in lists for administrators' })),
}

/** A run as the API shows it. */
export const Run = Type.Object(RUN, { title: 'Run' })
export type Run = Static<typeof Run>

const RunName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000\\ud800-\\udfff]*$',
  description: 'a text of 1 to 200 characters without NUL and lone surrogates',
})

export const RunBody = Type.Object(
  {
    stages: Type.Array(StageNumber, { minItems: 1, maxItems: 100 }),
    name: Type.Optional(RunName),
    research_question: Type.Optional(ResearchQuestion),
    inputs: Type.Optional(
      Type.Record(Type.String({ pattern: '^[1-9][0-9]{0,2}$' }), Type.Record(Type.String(), Type.Unknown()), {
        additionalProperties: false,
        description: 'by stage',
      }),
    ),
    rerun: Type.Optional(
      Type.Array(StageNumber, {
        maxItems: 100,
        description: 'stages to run again even if their result could be reused',
      }),
    ),
  },
  { additionalProperties: false, title: 'RunRequest' },
)
export type RunBody = Static<typeof RunBody>

export const SignOffBody = Type.Object(
  {
    verdict: Verdict,
    digest: Digest,
    reason: Type.Optional(
      Type.String({
        maxLength: 4000,
        pattern: '^(?=[\\s\\S]*\\S)[^\\u0000\\ud800-\\udfff]*$',
        description: 'a text of at most 4000 characters that is not blank',
      }),
    ),
  },
  { additionalProperties: false, title: 'SignOffRequest' },
)
export type SignOffBody = Static<typeof SignOffBody>

/** A step that waits for a decision. */
export const WaitingSignOff = Type.Object(
  {
    run_id: Uuid,
    workflow_id: Uuid,
    name: Nullable(Type.String()),
    stage: StageNumber,
    job_id: Uuid,
    digest: Digest,
    since: Millis,
  },
  { title: 'WaitingSignOff' },
)
export type WaitingSignOff = Static<typeof WaitingSignOff>

/** `data` of `event: run`: a change of the run, of a step without an event of its job, or both. */
export const RunEventData = Type.Object(
  {
    run_id: Uuid,
    workflow_id: Uuid,
    status: RunStatus,
    step: Type.Optional(Type.Object({ stage: StageNumber, status: StepStatus }, { title: 'StepChange' })),
    at: Millis,
  },
  { title: 'RunEventData' },
)
export type RunEventData = Static<typeof RunEventData>

/** `data` of `event: sign_off`: one for each decision. */
export const SignOffEventData = Type.Object(
  {
    run_id: Uuid,
    workflow_id: Uuid,
    stage: StageNumber,
    digest: Digest,
    verdict: Verdict,
    by: Type.String(),
    reason: Nullable(Type.String()),
    at: Millis,
  },
  { title: 'SignOffEventData' },
)
export type SignOffEventData = Static<typeof SignOffEventData>
