/** The stages that there are: what a catalogue file says, opened once at the start. Everything else asks here. */
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
    needs: Type.Array(StageNumber, { description: 'stages that a workflow run must have completed before' }),
    uses: Type.Array(StageNumber, { description: 'stages whose results are passed on where there are any' }),
    /** A human signs off before the stage's result counts as done. */
    sign_off: Type.Boolean(),
    optional: Type.Boolean(),
    /** Whether the request must carry a research question. */
    needs_question: Type.Boolean(),
    available: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'false: its service says that it does not have this stage; null: the service cannot tell',
    }),
  },
  { title: 'Stage' },
)
export type Stage = Static<typeof Stage>

/** What a stage may take, as far as the catalogue says. */
export type StageLimits = {
  [Limit in
    | 'timeout_ms'
    | 'heartbeat_timeout_ms'
    | 'attempts'
    | 'backoff_ms'
    | 'concurrency'
    | 'breaker_failures']?: StageEntry[Limit] | undefined
}

export interface CatalogueStage extends Omit<Stage, 'available'> {
  /** Name of its service. */
  service: string
  /** As the catalogue says; '' when it does not. */
  version: string
  limits: StageLimits
  /** The schema of its inputs as the OpenAPI document shows it. */
  inputs: object | null
}

/** Where a service is, and what it wants to be sent. Header values are secrets: they stand in no log and no answer. */
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
  /** What speaks against `inputs` of a stage; paths are inside them. */
  inputFaults(stage: number, inputs: unknown): InputFault[]
}

export interface CatalogueOptions {
  /** Else the built-in one. */
  file?: unknown
  /** Services beside those of the file, which win; `default` serves stages that name none. */
  services?: Readonly<Record<string, string | { url: string; headers?: Record<string, string> }>>
  /** What an `env:NAME` stands for. */
  env?: (name: string) => string | undefined
}

const NOTHING_SET = () => undefined

/** Throws `CatalogueError` with all faults. */
export function openCatalogue({ file, services = {}, env = NOTHING_SET }: CatalogueOptions = {}): Catalogue {
  const given: unknown = file ?? BUILT_IN
  const faults = [...formFaults(given)]
  if (faults.length > 0) throw new CatalogueError(faults)
  const own = given as CatalogueFile
  const more = Object.entries(services).map(([name, one]) => [
    name,
    typeof one === 'string' ? { url: one } : one,
  ])
  const whole: CatalogueFile = { ...own, services: { ...Object.fromEntries(more), ...own.services } }
  faults.push(...meaningFaults(whole, false), ...serviceFaults(whole, env))
  if (faults.length > 0) throw new CatalogueError(faults)
  return build(whole, env, file === undefined ? BUILT_IN_RULES : {})
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
    ...{ stage, slug, title, description, needs, uses, sign_off, optional, needs_question, service, version },
    limits: { timeout_ms, heartbeat_timeout_ms, attempts, backoff_ms, concurrency, breaker_failures },
    // Two stages of a file may have one title, and the document wants a name for each.
    inputs: shown && !isBuiltIn ? { ...shown, title: `Stage${stage}Inputs` } : shown,
  }
}

function checkOf({ inputs }: StageEntry, rule: InputRule | undefined): InputCheck {
  const compiled = inputs ? compileInputs(inputs) : null
  const check: InputCheck = compiled && 'check' in compiled ? compiled.check : () => []
  if (!rule) return check
  return (value) => {
    const faults = check(value)
    // A rule between fields may rely on their types.
    return faults.length > 0 ? faults : rule(value as Record<string, unknown>).map(ruleFault)
  }
}

function ruleFault({ path, message }: { path: string; message: string }): InputFault {
  return { instancePath: `/${path}`, message, keyword: 'rule', schemaPath: '', params: {} }
}

/** What every execute body comes down to, whatever its stage. */
export interface ExecuteBody {
  workflow_id: string
  research_question?: string
  inputs?: Record<string, unknown>
}

const AnyInputs = Type.Record(Type.String(), Type.Unknown(), { description: 'passed to the stage service' })

/** The envelope of `POST /api/workflow/stages/{stage}/execute`. Its inputs are checked by the catalogue. */
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

/** The same with the schema of the stage's inputs, for the OpenAPI document. */
export function executeBody(stage: CatalogueStage): TSchema {
  const envelope = executeEnvelope(stage)
  if (!stage.inputs) return envelope
  return { ...envelope, properties: { ...envelope.properties, inputs: stage.inputs } } as TSchema
}
