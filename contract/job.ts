/** A job as the API shows it and as the queue carries it. */
import { FormatRegistry, type Static, Type } from '@sinclair/typebox'
import { EVENT_ID_PATTERN, JobError, JobStatus } from './events.ts'
import { ArtifactName, StageFile } from './service.ts'
import { TraceContext } from './trace.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
// TypeBox refuses a format it was not told of; Ajv brings its own.
FormatRegistry.Set('uuid', (value) => UUID.test(value))

/** `format` is for readers of the document; the pattern keeps Ajv from accepting `urn:uuid:` too. */
export const Uuid = Type.String({
  format: 'uuid',
  pattern: UUID.source.replaceAll('a-f', 'a-fA-F'),
  description: 'a UUID',
})

/** 10 to 4000 characters, something besides white space, no NUL and no lone surrogate. */
export const ResearchQuestion = Type.String({
  minLength: 10,
  maxLength: 4000,
  pattern: '^(?=[\\s\\S]*\\S)[^\\u0000\\ud800-\\udfff]*$',
  description: 'a text of 10 to 4000 characters that is not blank; without NUL and lone surrogates',
})

/** A stage's number. Which of them there are, the catalogue says. */
export const StageNumber = Type.Integer({ minimum: 1, maximum: 999 })

/** The data of a job in the queue. The worker checks it again: the two sides are deployed apart. */
export const JobData = Type.Object({
  stage: StageNumber,
  job_id: Uuid,
  workflow_id: Uuid,
  research_question: Type.Union([Type.String(), Type.Null()]),
  user_id: Type.String({ minLength: 1 }),
  /** Epoch milliseconds at which the API accepted the job. */
  timestamp: Type.Integer(),
  inputs: Type.Record(Type.String(), Type.Unknown()),
  /** The workflow run that it is a step of. */
  run_id: Type.Optional(Uuid),
  /** The job that this one retries. */
  retry_of: Type.Optional(Uuid),
  /** What its attempts hang on, when the client or this system traces. */
  trace: Type.Optional(TraceContext),
})
export type JobData = Static<typeof JobData>

/** What a completed job leaves behind; `duration_ms` is the stage service's own figure, or the measured one. */
export const JobResult = Type.Object(
  {
    success: Type.Literal(true),
    artifacts: Type.Array(ArtifactName, { description: 'names of files that can be downloaded' }),
    files: Type.Optional(
      Type.Array(StageFile, { description: 'those of them whose content the stage service vouches for' }),
    ),
    version: Type.Optional(
      Type.String({ description: 'of the stage that ran: what its service says, else the catalogue' }),
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

/** The state of a job: the answer of the status route, and, stored, the end record of a finished job. */
export const JobSnapshot = Type.Object(
  {
    job_id: Uuid,
    stage: StageNumber,
    workflow_id: Uuid,
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
  ],
  { title: 'JobSummary' },
)
export type JobSummary = Static<typeof JobSummary>

/** `data` of `event: hint`: what a waiting job waits for. It is no event of the job, has no id, and is not kept. */
export const Hint = Type.Object(
  {
    job_id: Uuid,
    waiting_for: Type.Union(
      [Type.Literal('turn'), Type.Literal('worker'), Type.Literal('circuit'), Type.Literal('retry')],
      {
        description:
          'turn: jobs before it; worker: no worker process is there; circuit: the stage service is away; retry: the delay before the next attempt',
      },
    ),
    position: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'its place in the queue, 1 = next; null while it is delayed, or when it is far behind',
    }),
    waiting: Type.Integer({ minimum: 0, description: 'jobs in the queue, its own included' }),
    retry_at: Millis,
  },
  { title: 'Hint' },
)
export type Hint = Static<typeof Hint>
