/** Validates a catalogue. Each fault has a JSON Pointer. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { CatalogueFile } from './catalogue-file.ts'
import { compileInputs, escapePointer, type SchemaFault } from './inputs.ts'

/** Thrown when a catalogue is opened. Each fault is one line that starts with its pointer. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError'
  readonly faults: readonly string[]
  constructor(faults: readonly SchemaFault[]) {
    const lines = faults.map(({ pointer, message }) => `${pointer || '/'} ${message}`)
    super(`The catalogue cannot be used:\n${lines.map((line) => `  ${line}`).join('\n')}`)
    this.faults = lines
  }
}

let validator: ValidateFunction | undefined

/** Checks `value` against the schema. If it yields nothing, `value` is a `CatalogueFile`. */
export function* formFaults(value: unknown): Generator<SchemaFault> {
  validator ??= compileForm()
  const validate = validator
  if (validate(value)) return
  for (const error of validate.errors ?? []) if (error.keyword !== 'propertyNames') yield inWords(error)
}

/** Skips Ajv's own check of the schema, which takes long. Tests cover the schema. */
function compileForm(): ValidateFunction {
  const options = { allErrors: true, verbose: true, strict: false, validateSchema: false, meta: false }
  return new Ajv(options).compile(CatalogueFile)
}

function inWords({ instancePath, keyword, params, message = '', ...rest }: ErrorObject): SchemaFault {
  const { properties, title, description } = rest.parentSchema ?? {}
  const at = (name: string) => `${instancePath}/${escapePointer(name)}`
  if (keyword === 'required') return { pointer: at(params.missingProperty), message: 'is required' }
  if (keyword === 'additionalProperties') {
    const known = Object.keys(properties ?? {}).join(', ')
    const what = title ? `is not a field of a ${title}, which has ${known}` : 'is not a valid service name'
    return { pointer: at(params.additionalProperty), message: what }
  }
  if (keyword === 'pattern') return { pointer: instancePath, message: `must be ${description}` }
  return { pointer: instancePath, message: `${message}, got ${clip(rest.data)}` }
}

function clip(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** Checks that the parts of a well-formed catalogue fit together. Compiling the schemas of inputs takes longest. */
export function* meaningFaults(file: CatalogueFile, hasValidInputs: boolean): Generator<SchemaFault> {
  const numbers = new Map<number, number>()
  const slugs = new Map<string, number>()
  for (const [i, { stage, slug }] of file.stages.entries()) {
    const [first, same] = [numbers.get(stage), slugs.get(slug)]
    if (first !== undefined)
      yield { pointer: `/stages/${i}/stage`, message: `is ${stage}, which /stages/${first} already uses` }
    else numbers.set(stage, i)
    if (same !== undefined)
      yield { pointer: `/stages/${i}/slug`, message: `is "${slug}", which /stages/${same} already uses` }
    else slugs.set(slug, i)
  }
  for (const [i, entry] of file.stages.entries()) {
    for (const field of ['needs', 'uses'] as const)
      for (const [j, other] of (entry[field] ?? []).entries())
        if (!numbers.has(other))
          yield {
            pointer: `/stages/${i}/${field}/${j}`,
            message: `names stage ${other}, which is not in this file`,
          }
    const { service = 'default' } = entry
    const isThere = Object.hasOwn(file.services ?? {}, service)
    if (!isThere && entry.service !== undefined)
      yield {
        pointer: `/stages/${i}/service`,
        message: `names the service "${service}", which is not defined`,
      }
    if (!isThere && entry.service === undefined)
      yield {
        pointer: `/stages/${i}`,
        message: 'does not name a service, and there is no default one (WORKER_URL)',
      }
    const compiled = entry.inputs && !hasValidInputs ? compileInputs(entry.inputs) : null
    if (compiled && 'faults' in compiled)
      for (const { pointer, message } of compiled.faults)
        yield { pointer: `/stages/${i}/inputs${pointer}`, message }
  }
  yield* cycleFaults(file, numbers)
}

/** Reports each cycle of `needs` and `uses` once, at its first stage in the file. */
function* cycleFaults({ stages }: CatalogueFile, index: Map<number, number>): Generator<SchemaFault> {
  const done = new Set<number>()
  const path: number[] = []
  const circles: number[][] = []
  const visit = (i: number): void => {
    if (path.includes(i)) return void circles.push(path.slice(path.indexOf(i)))
    if (done.has(i)) return
    path.push(i)
    const { needs = [], uses = [] } = stages[i] ?? {}
    for (const other of [...needs, ...uses]) {
      const to = index.get(other)
      if (to !== undefined) visit(to)
    }
    path.pop()
    done.add(i)
  }
  for (const i of stages.keys()) visit(i)
  for (const circle of circles) {
    const names = [...circle, circle[0] as number].map((i) => stages[i]?.stage).join(' -> ')
    yield { pointer: `/stages/${circle[0]}`, message: `needs or uses itself: ${names}` }
  }
}

/** Checks the services; `env` looks up an environment variable. */
export function* serviceFaults(
  { services = {} }: CatalogueFile,
  env: (name: string) => string | undefined,
): Generator<SchemaFault> {
  for (const [name, { url, headers = {} }] of Object.entries(services)) {
    const at = `/services/${escapePointer(name)}`
    const parsed = URL.canParse(url) ? new URL(url) : null
    if (!parsed || !['http:', 'https:'].includes(parsed.protocol))
      yield { pointer: `${at}/url`, message: 'must be an http or https URL' }
    else if (parsed.username || parsed.password)
      yield { pointer: `${at}/url`, message: 'must not contain a user name or password: use headers' }
    else if (parsed.search || parsed.hash)
      yield {
        pointer: `${at}/url`,
        message: 'must be a base URL without query or fragment: paths are appended',
      }
    for (const [header, value] of Object.entries(headers)) {
      const pointer = `${at}/headers/${escapePointer(header)}`
      const variable = variableOf(value)
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(header))
        yield { pointer, message: 'is not a valid header name' }
      else if (OURS.has(header.toLowerCase()))
        yield { pointer, message: 'is a header that Stagecast sets itself' }
      else if (variable !== null && !env(variable))
        yield { pointer, message: `needs the environment variable ${variable}, which is not set` }
      else if (!/^[\t\x20-\x7e]*$/.test(variable === null ? value : (env(variable) ?? '')))
        yield { pointer, message: 'must be printable ASCII' }
    }
  }
}

/** The name in `env:NAME`. */
export function variableOf(value: string): string | null {
  return /^env:(.+)$/.exec(value)?.[1] ?? null
}

/** Headers that Stagecast sets on each call. */
const OURS: ReadonlySet<string> = new Set([
  ...['content-type', 'content-length', 'transfer-encoding', 'connection', 'host', 'accept', 'expect'],
  ...['x-request-id', 'idempotency-key', 'x-attempt', 'traceparent', 'tracestate', 'upgrade', 'keep-alive'],
])
