/** The catalogue file that STAGES_FILE names. docs/stages.schema.json is generated from this schema. */
import { type Static, Type } from '@sinclair/typebox'
import { StageNumber } from './job.ts'

const Millis = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description }))
const Stages = (description: string) =>
  Type.Optional(Type.Array(StageNumber, { uniqueItems: true, description }))
const Flag = (description: string) => Type.Optional(Type.Boolean({ default: false, description }))

const ServiceName = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'letters, digits, _ and -' })

export const StageEntry = Type.Object(
  {
    stage: StageNumber,
    slug: Type.String({
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      maxLength: 64,
      description: 'lowercase letters, digits and single hyphens',
    }),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    needs: Stages('stages that must complete first in the workflow; their results are passed on'),
    uses: Stages('stages whose results are passed on if they have completed'),
    needs_question: Flag('whether a request must have a research question'),
    sign_off: Flag('whether a person must sign off before the result counts as done'),
    optional: Flag('whether a workflow can complete without it'),
    inputs: Type.Optional(
      Type.Object(
        {},
        { additionalProperties: true, description: 'JSON Schema 2020-12 of `inputs`, an object' },
      ),
    ),
    service: Type.Optional(ServiceName),
    version: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'version of the stage, if its service does not report one',
      }),
    ),
    timeout_ms: Millis('longest call; default STAGE_TIMEOUT_MS'),
    heartbeat_timeout_ms: Millis('longest silence within an answer; default STAGE_HEARTBEAT_TIMEOUT_MS'),
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'default STAGE_JOB_ATTEMPTS' }),
    ),
    backoff_ms: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'default STAGE_JOB_BACKOFF_MS' }),
    ),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'jobs of this stage that one worker process runs at a time',
      }),
    ),
    breaker_failures: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'default BREAKER_FAILURES' }),
    ),
  },
  { additionalProperties: false, title: 'stage' },
)
export type StageEntry = Static<typeof StageEntry>

const ServiceEntry = Type.Object(
  {
    url: Type.String({ description: 'http or https, without user name or password' }),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'sent with each call; a value `env:NAME` is read from the environment',
      }),
    ),
  },
  { additionalProperties: false, title: 'service' },
)

export const CatalogueFile = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    stages: Type.Array(StageEntry, { minItems: 1, maxItems: 100 }),
    services: Type.Optional(Type.Record(ServiceName, ServiceEntry)),
  },
  { additionalProperties: false, title: 'catalogue' },
)
export type CatalogueFile = Static<typeof CatalogueFile>
