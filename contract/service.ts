/**
 * The stage-service contract: what a worker sends and what a stage service may answer. Any HTTP server can be a stage
 * service; the built-in one and the Python package implement exactly this.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/**
 * The bare name of a file that a stage produced. It becomes part of a URL and a file name on disk, so separators,
 * control characters, `.` and `..` are rejected.
 */
export const ArtifactName = Type.String({
  pattern: '^(?!\\.{1,2}$)[^/\\\\\\u0000-\\u001f\\u007f]{1,255}$',
  description: 'bare file name, no path',
})

const FILE = {
  name: ArtifactName,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the content, hexadecimal' }),
  bytes: Type.Integer({ minimum: 0 }),
  media_type: Type.String({ minLength: 1, maxLength: 200 }),
}

/** A file with the hash of its content. */
export const StageFile = Type.Object(FILE, { title: 'StageFile' })
export type StageFile = Static<typeof StageFile>

const absent = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** A file in a service's answer; without a hash it counts as a bare name. */
const AnsweredFile = Type.Object({
  name: ArtifactName,
  sha256: absent(FILE.sha256),
  bytes: absent(FILE.bytes),
  media_type: absent(FILE.media_type),
})

/** The newest result of each stage that the called stage needs or uses, by stage number. */
const Upstream = Type.Record(
  Type.String(),
  Type.Object({
    job_id: Type.String(),
    results: Type.Record(Type.String(), Type.Unknown()),
    files: Type.Array(Type.Object({ ...FILE, url: Type.String() })),
  }),
)
export type Upstream = Static<typeof Upstream>

/** Body of `POST /api/workflow/stages/{stage}/execute` at the stage service. */
export const StageRequest = Type.Object({
  workflow_id: Type.String({ format: 'uuid' }),
  research_question: Type.Union([Type.String(), Type.Null()]),
  user_id: Type.String(),
  job_id: Type.String({ format: 'uuid' }),
  inputs: Type.Record(Type.String(), Type.Unknown()),
  /** The workflow run that the job belongs to. */
  run_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  upstream: Type.Optional(Upstream),
})
export type StageRequest = Static<typeof StageRequest>

/**
 * The answer of a finished stage: the whole body of an `application/json` answer, or the last line
 * (`type: "result"`) of an NDJSON one. Unknown fields are allowed and ignored.
 */
export const StageAnswer = Type.Object({
  success: Type.Boolean(),
  stage: Type.Optional(Type.Integer()),
  workflow_id: Type.Optional(Type.String()),
  job_id: Type.Optional(Type.String()),
  artifacts: Type.Optional(Type.Array(ArtifactName, { maxItems: 1000 })),
  /** The artifacts with their hashes. */
  files: Type.Optional(Type.Array(AnsweredFile, { maxItems: 1000 })),
  results: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  duration_ms: Type.Optional(Type.Number({ minimum: 0 })),
})
export type StageAnswer = Static<typeof StageAnswer>

const ProgressLine = Type.Object({
  type: Type.Literal('progress'),
  /** Progress of the service, 0 to 100; the worker maps it to 20 to 80. */
  percent: Type.Number({ minimum: 0, maximum: 100 }),
  message: Type.Optional(Type.String()),
})
export type ProgressLine = Static<typeof ProgressLine>

const HeartbeatLine = Type.Object({ type: Type.Literal('heartbeat') })

const ErrorLine = Type.Object({
  type: Type.Literal('error'),
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean(),
})
export type ErrorLine = Static<typeof ErrorLine>

const ResultLine = Type.Composite([Type.Object({ type: Type.Literal('result') }), StageAnswer])

/** One line of an `application/x-ndjson` answer. */
export const ServiceLine = Type.Union([ProgressLine, HeartbeatLine, ErrorLine, ResultLine])
export type ServiceLine = Static<typeof ServiceLine>

/** A line before validation: known fields with values of any type. */
export type Unchecked<Line> = { readonly [Field in keyof Line]?: unknown }

/** Body of every non-2xx answer of a stage service (FastAPI's own `detail` shape). */
export const ServiceError = Type.Object({
  detail: Type.Object({ code: Type.String(), message: Type.String() }),
})
export type ServiceError = Static<typeof ServiceError>

/** The answer to `GET /api/workflow/stages` of a stage service. The route is optional. */
const StageListing = Type.Array(
  Type.Object({
    stage: Type.Integer(),
    version: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Null()])),
    /** A sentence that people should read before they start the stage. */
    note: Type.Optional(Type.Union([Type.String({ maxLength: 500 }), Type.Null()])),
  }),
)

/** What a service reports about its stages, by stage number; '' for what it does not report. */
export type Listing = ReadonlyMap<number, { version: string; note: string }>

/** Null if `value` is not a valid answer. */
export function readListing(value: unknown): Listing | null {
  if (!Value.Check(StageListing, value)) return null
  return new Map(
    value.map(({ stage, version, note }) => [stage, { version: version ?? '', note: note ?? '' }]),
  )
}
