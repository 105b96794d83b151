/** The stage catalogue, loaded once at startup. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { BUILT_IN, BUILT_IN_RULES, type InputRule } from './built-in.ts'
import { CatalogueError, formFaults, meaningFaults, serviceFaults, variableOf } from './catalogue-faults.ts'
import type { CatalogueFile, StageEntry } from './catalogue-file.ts'
import { compileInputs, type InputCheck, type InputFault, withoutReferences } from './inputs.ts'
import { ResearchQuestion, StageNumber, Uuid } from './job.ts'

/** A stage as the API lists it. */
export const Stage = Type.Object(
  {
    stage: StageNumber,
    slug: Type.String(),
    title: Type.String(),
    description: Type.String(),
    needs: Type.Array(StageNumber, { description: 'stages that must complete first in a workflow run' }),
    uses: Type.Array(StageNumber, { description: 'stages whose results are passed on if they exist' }),
    /** A person must sign off before the result counts as done. */
    sign_off: Type.Boolean(),
    optional: Type.Boolean(),
    /** Whether the request must carry a research question. */
    needs_question: Type.Boolean(),
    available: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'false: its service does not offer this stage; null: the service does not say',
    }),
    note: Type.Optional(
      Type.String({
        description: 'a note from its service that people should read before they start the stage',
      }),
    ),
  },
  { title: 'Stage' },
)
export type Stage = Static<typeof Stage>

/** Limits of a stage; an unset limit uses the configured default. */
export type StageLimits = {
  [Limit in
    | 'timeout_ms'
    | 'heartbeat_timeout_ms'
    | 'attempts'
    | 'backoff_ms'
    | 'concurrency'
    | 'breaker_failures']?: StageEntry[Limit] | undefined
}

export interface CatalogueStage extends Omit<Stage, 'available' | 'note'> {
  /** Name of its service. */
  service: string
  /** The version in the catalogue, or ''. */
  version: string
  limits: StageLimits
  /** Schema of its inputs for the OpenAPI document. */
  inputs: object | null
}

/** Address and headers of a service. Header values are secrets: never log or return them. */
export interface Service {
  url: string
  headers: Readonly<Record<string, string>>
}

export interface Catalogue {
  /** By number. */
  readonly stages: readonly CatalogueStage[]
  readonly services: ReadonlyMap<string, Service>
  get(stage: number): CatalogueStage | undefined
  /** The service of a stage, or the default one. */
  serviceOf(stage: number): Service | undefined
  /** Validates the inputs of a stage; paths are relative to `inputs`. */
  inputFaults(stage: number, inputs: unknown): InputFault[]
}

export interface CatalogueOptions {
  /** Parsed STAGES_FILE; default: the built-in catalogue. */
  file?: unknown
  /** Additional services; the file wins on a clash. `default` serves stages that do not name a service. */
  services?: Readonly<Record<string, string | { url: string; headers?: Record<string, string> }>>
  /** Resolves `env:NAME`. */
  env?: (name: string) => string | undefined
}

const NOTHING_SET = () => undefined

/** Throws a `CatalogueError` that lists all faults. */
export function openCatalogue({ file, services = {}, env = NOTHING_SET }: CatalogueOptions = {}): Catalogue {
  const isBuiltIn = file === undefined
  // Tests check the built-in catalogue, so a start does not have to.
  const faults = isBuiltIn ? [] : [...formFaults(file)]
  if (faults.length > 0) throw new CatalogueError(faults)
  const own = isBuiltIn ? BUILT_IN : (file as CatalogueFile)
  const more = Object.entries(services).map(([name, one]) => [
    name,
    typeof one === 'string' ? { url: one } : one,
  ])
  const whole: CatalogueFile = { ...own, services: { ...Object.fromEntries(more), ...own.services } }
  faults.push(...meaningFaults(whole, isBuiltIn), ...serviceFaults(whole, env))
  if (faults.length > 0) throw new CatalogueError(faults)
  return build(whole, env, isBuiltIn ? BUILT_IN_RULES : {})
}

function build(
  { stages, services = {} }: CatalogueFile,
  env: (name: string) => string | undefined,
  rules: Readonly<Record<number, InputRule>>,
): Catalogue {
  const listed = stages
    .map((entry) => toStage(entry, rules === BUILT_IN_RULES))
    .sort((a, b) => a.stage - b.stage)
  const byNumber = new Map(listed.map((stage) => [stage.stage, stage]))
  const checks = new Map(stages.map((entry) => [entry.stage, checkOf(entry, rules[entry.stage])]))
  const resolved = new Map(
    Object.entries(services).map(([name, { url, headers = {} }]): [string, Service] => {
      const values = Object.entries(headers).map(([header, value]) => {
        const variable = variableOf(value)
        return [header.toLowerCase(), variable === null ? value : (env(variable) ?? '')]
      })
      return [name, { url: url.replace(/\/+$/, ''), headers: Object.fromEntries(values) }]
    }),
  )
  return {
    stages: listed,
    services: resolved,
    get: (stage) => byNumber.get(stage),
    serviceOf: (stage) => resolved.get(byNumber.get(stage)?.service ?? 'default'),
    inputFaults: (stage, inputs) => checks.get(stage)?.(inputs) ?? [],
  }
}

function toStage(entry: StageEntry, isBuiltIn: boolean): CatalogueStage {
  const {
    stage,
    slug,
    title,
    description = '',
    needs = [],
    uses = [],
    service = 'default',
    version = '',
  } = entry
  const { sign_off = false, optional = false, needs_question = false, inputs } = entry
  const { timeout_ms, heartbeat_timeout_ms, attempts, backoff_ms, concurrency, breaker_failures } = entry
  const shown = inputs ? withoutReferences(inputs) : null
  return {
    stage,
    slug,
    title,
    description,
    needs,
    uses,
    sign_off,
    optional,
    needs_question,
    service,
    version,
    limits: { timeout_ms, heartbeat_timeout_ms, attempts, backoff_ms, concurrency, breaker_failures },
    // Two stages may share a title, but each schema of the document needs a unique name.
    inputs: shown && !isBuiltIn ? { ...shown, title: `Stage${stage}Inputs` } : shown,
  }
}

/** Compiles the schema on the first use. */
function checkOf({ inputs }: StageEntry, rule: InputRule | undefined): InputCheck {
  const check: InputCheck = (value) => {
    const compiled = inputs ? compileInputs(inputs) : null
    return compiled && 'check' in compiled ? compiled.check(value) : []
  }
  if (!rule) return check
  return (value) => {
    const faults = check(value)
    // Rules assume that the inputs match the schema.
    return faults.length > 0 ? faults : rule(value as Record<string, unknown>).map(ruleFault)
  }
}

function ruleFault({ path, message }: { path: string; message: string }): InputFault {
  return { instancePath: `/${path}`, message, keyword: 'rule', schemaPath: '', params: {} }
}

/** The execute body common to all stages. */
export interface ExecuteBody {
  workflow_id: string
  research_question?: string
  inputs?: Record<string, unknown>
}

const AnyInputs = Type.Record(Type.String(), Type.Unknown(), { description: 'passed to the stage service' })

/** The body of `POST /api/workflow/stages/{stage}/execute`. The catalogue checks `inputs`. */
export function executeEnvelope({
  stage,
  needs_question,
}: Pick<CatalogueStage, 'stage' | 'needs_question'>): TSchema {
  return Type.Object(
    {
      workflow_id: Uuid,
      research_question: needs_question ? ResearchQuestion : Type.Optional(ResearchQuestion),
      inputs: Type.Optional(AnyInputs),
    },
    { additionalProperties: false, title: `Stage${stage}Request` },
  )
}

/** The same body including the schema of the stage's inputs, for the OpenAPI document. */
export function executeBody(stage: CatalogueStage): TSchema {
  const envelope = executeEnvelope(stage)
  if (!stage.inputs) return envelope
  return { ...envelope, properties: { ...envelope.properties, inputs: stage.inputs } } as TSchema
}
