/** A job as the API returns it and as the queue stores it. */
import { FormatRegistry, type Static, Type } from '@sinclair/typebox'
import { EVENT_ID_PATTERN, JobError, JobStatus } from './events.ts'
import { ArtifactName, StageFile } from './service.ts'
import { TraceContext } from './trace.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
// TypeBox rejects unregistered formats; Ajv has its own registry.
FormatRegistry.Set('uuid', (value) => UUID.test(value))

/** `format` documents the type; the pattern makes Ajv reject `urn:uuid:`. */
export const Uuid = Type.String({
  format: 'uuid',
  pattern: UUID.source.replaceAll('a-f', 'a-fA-F'),
  description: 'a UUID',
})

/** 10 to 4000 characters, not blank, without NUL or lone surrogates. */
export const ResearchQuestion = Type.String({
  minLength: 10,
  maxLength: 4000,
  pattern: '^(?=[\\s\\S]*\\S)[^\\u0000\\ud800-\\udfff]*$',
  description: 'a text of 10 to 4000 characters that is not blank, without NUL or lone surrogates',
})

/** A stage number. The catalogue decides which numbers exist. */
export const StageNumber = Type.Integer({ minimum: 1, maximum: 999 })

/** The data of a job in the queue. The worker validates it again, because API and worker are deployed separately. */
export const JobData = Type.Object({
  stage: StageNumber,
  job_id: Uuid,
  workflow_id: Uuid,
  research_question: Type.Union([Type.String(), Type.Null()]),
  user_id: Type.String({ minLength: 1 }),
  /** When the API accepted the job, in epoch milliseconds. */
  timestamp: Type.Integer(),
  inputs: Type.Record(Type.String(), Type.Unknown()),
  /** The workflow run that the job belongs to. */
  run_id: Type.Optional(Uuid),
  /** The job that this one retries. */
  retry_of: Type.Optional(Uuid),
  /** Parent of the spans of its attempts, if the request is traced. */
  trace: Type.Optional(TraceContext),
})
export type JobData = Static<typeof JobData>

/** The result of a completed job. `duration_ms` is reported by the stage service, or else measured. */
export const JobResult = Type.Object(
  {
    success: Type.Literal(true),
    artifacts: Type.Array(ArtifactName, { description: 'names of files that can be downloaded' }),
    files: Type.Optional(Type.Array(StageFile, { description: 'the artifacts whose hash is known' })),
    version: Type.Optional(
      Type.String({
        description: 'version of the stage that ran, from its service, else from the catalogue',
      }),
    ),
    upstream: Type.Optional(
      Type.Record(Type.String(), Uuid, { description: 'by stage, the job whose result this one used' }),
    ),
    duration_ms: Type.Number(),
    results: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { title: 'JobResult' },
)
export type JobResult = Static<typeof JobResult>

const Millis = Type.Union([Type.Integer(), Type.Null()], { description: 'epoch milliseconds' })
const Nullable = <T extends import('@sinclair/typebox').TSchema>(schema: T) =>
  Type.Union([schema, Type.Null()])

export const Estimate = Type.Object(
  { ends_at: Type.Object({ p50: Type.Integer(), p90: Type.Integer() }) },
  {
    title: 'Estimate',
    description:
      'when the job will probably end, in epoch milliseconds, from the newest completed jobs of its stage',
  },
)
export type Estimate = Static<typeof Estimate>

/** The state of a job: the body of the status route, and the stored outcome of a finished job. */
export const JobSnapshot = Type.Object(
  {
    job_id: Uuid,
    stage: StageNumber,
    workflow_id: Uuid,
    run_id: Type.Optional(Type.String({ ...Uuid, description: 'the run that the job is a step of' })),
    status: JobStatus,
    progress: Type.Number({ minimum: 0, maximum: 100 }),
    attempt: Type.Integer({ minimum: 0 }),
    max_attempts: Type.Integer({ minimum: 1 }),
    cursor: Type.String({ pattern: EVENT_ID_PATTERN }),
    data: Type.Object({
      stage: StageNumber,
      workflow_id: Uuid,
      research_question: Nullable(Type.String()),
      user_id: Type.String(),
      inputs: Type.Record(Type.String(), Type.Unknown()),
    }),
    result: Nullable(JobResult),
    error: Nullable(JobError),
    created_at: Type.Integer({ description: 'epoch milliseconds' }),
    processed_at: Millis,
    finished_at: Millis,
    estimate: Type.Optional(
      Type.Union([Estimate, Type.Null()], {
        description:
          'only from the status route; null once the job has finished, or with fewer than 20 completed jobs of its stage',
      }),
    ),
    retry_of: Type.Optional(Type.String({ format: 'uuid', description: 'the job that this one retries' })),
  },
  { title: 'JobSnapshot' },
)
export type JobSnapshot = Static<typeof JobSnapshot>

/** A job in a list. */
export const JobSummary = Type.Composite(
  [
    Type.Pick(JobSnapshot, [
      'job_id',
      'stage',
      'workflow_id',
      'status',
      'progress',
      'attempt',
      'max_attempts',
    ]),
    Type.Pick(JobSnapshot.properties.data, ['research_question']),
    Type.Pick(JobSnapshot, ['error', 'created_at', 'processed_at', 'finished_at', 'retry_of']),
    Type.Object({ owner: Type.Optional(Type.String({ description: 'for administrators' })) }),
  ],
  { title: 'JobSummary' },
)
export type JobSummary = Static<typeof JobSummary>

/** `data` of `event: hint`: what a waiting job waits for. A hint is not a job event: it has no id and is not stored. */
export const Hint = Type.Object(
  {
    job_id: Uuid,
    waiting_for: Type.Union(
      [
        Type.Literal('turn'),
        Type.Literal('worker'),
        Type.Literal('circuit'),
        Type.Literal('retry'),
        Type.Literal('paused'),
      ],
      {
        description:
          'turn: other jobs are ahead of it; worker: no worker that serves its stage is connected; circuit: the stage service is unavailable; retry: the delay before the next attempt; paused: an operator has paused the queue',
      },
    ),
    position: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'its place in the queue, 1 = next; null while it is delayed or far back in the queue',
    }),
    waiting: Type.Integer({ minimum: 0, description: 'jobs in the queue, including this one' }),
    retry_at: Millis,
  },
  { title: 'Hint' },
)
export type Hint = Static<typeof Hint>
