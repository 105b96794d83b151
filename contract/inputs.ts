/** Validates the inputs of a stage with its JSON Schema (2020-12). Formats are checked too. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** A fault of a value, with the schema that it violates; `instancePath` is a JSON Pointer into the value. */
export type InputFault = ErrorObject

export type InputCheck = (inputs: unknown) => InputFault[]

/** A fault of a schema; `pointer` points into the schema. */
export interface SchemaFault {
  pointer: string
  message: string
}

const MAX_FAULTS = 5

type Compiled = { check: InputCheck } | { faults: SchemaFault[] }

/** Compiled schemas: a catalogue is checked and then opened, but each schema is compiled once. */
const known = new WeakMap<object, Compiled>()
/** Checks schemas, not inputs. Shared, because compiling JSON Schema's own schema takes longest. */
let dialect: Ajv2020 | undefined

/** Compiles a schema to a check, or returns the schema's faults. */
export function compileInputs(schema: object): Compiled {
  const compiled = known.get(schema) ?? compile(schema)
  known.set(schema, compiled)
  return compiled
}

function compile(schema: object): Compiled {
  const unknownFormats = new Set<string>()
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    verbose: true,
    validateSchema: false,
    meta: false,
    // Ajv only warns about an unknown format and then accepts any value.
    logger: { log() {}, error() {}, warn: (message: string) => void unknownFormats.add(message) },
  })
  formats.default(ajv as never)
  const faults = [...formFaults(schema)]
  if (faults.length > 0) return { faults }
  try {
    const validate = ajv.compile(schema)
    if (unknownFormats.size > 0) return { faults: [...unknownFormats].map(formatFault) }
    return { check: (inputs) => (validate(inputs) ? [] : [...(validate.errors ?? [])]) }
  } catch (error) {
    return { faults: [compileFault(schema, error as Error & { missingRef?: string })] }
  }
}

function* formFaults(schema: object): Generator<SchemaFault> {
  const { type = 'object', $schema = DIALECT } = schema as { type?: unknown; $schema?: unknown }
  if (String($schema).replace(/#$/, '') !== DIALECT)
    return yield { pointer: '/$schema', message: `must be ${DIALECT} or absent` }
  if (type !== 'object') return yield { pointer: '/type', message: 'must be "object": inputs are an object' }
  dialect ??= new Ajv2020({ strict: false, allErrors: true })
  if (dialect.validateSchema(schema) === true) return
  const seen = new Set<string>()
  for (const { instancePath, message = 'is not valid' } of dialect.errors ?? []) {
    if (seen.has(instancePath) || seen.size === MAX_FAULTS) continue
    seen.add(instancePath)
    yield { pointer: instancePath, message: `is not JSON Schema 2020-12: it ${message}` }
  }
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

function formatFault(warning: string): SchemaFault {
  const [, format = '', at = '#'] =
    /unknown format "(.*)" ignored in schema at path "(.*)"/.exec(warning) ?? []
  return { pointer: at.slice(1), message: `uses the unknown format ${JSON.stringify(format)}` }
}

function compileFault(schema: object, { message, missingRef }: Error & { missingRef?: string }): SchemaFault {
  if (missingRef === undefined) return { pointer: '', message: `cannot be used: ${message}` }
  for (const [pointer, node] of nodesOf(schema)) {
    const { $ref } = node as { $ref?: unknown }
    if (typeof $ref === 'string' && missingRef.endsWith($ref))
      return {
        pointer: `${pointer}/$ref`,
        message: `refers to ${JSON.stringify($ref)}, which is not in this schema; references are not fetched`,
      }
  }
  return {
    pointer: '',
    message: `refers to ${missingRef}, which is not in this schema; references are not fetched`,
  }
}

function* nodesOf(node: unknown, pointer = ''): Generator<[pointer: string, node: object]> {
  if (typeof node !== 'object' || node === null) return
  yield [pointer, node]
  for (const [key, inner] of Object.entries(node)) yield* nodesOf(inner, `${pointer}/${escapePointer(key)}`)
}

/** RFC 6901. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Maximum nodes of an expanded schema; anything beyond accepts any value in the document. */
const MAX_NODES = 5000

/**
 * The schema for the OpenAPI document. References are expanded, because `#` would refer to the document there.
 * A recursive reference is expanded once.
 */
export function withoutReferences(schema: object): object {
  let nodes = 0
  const walk = (node: unknown, within: readonly string[]): unknown => {
    if (Array.isArray(node)) return node.map((one) => walk(one, within))
    if (typeof node !== 'object' || node === null) return node
    nodes += 1
    if (nodes > MAX_NODES) return {}
    const { $defs: _, $schema: __, $id: ___, $ref, ...rest } = node as Record<string, unknown>
    const own = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, walk(value, within)]))
    if (typeof $ref !== 'string') return own
    if (within.includes($ref)) return own
    const target = resolve(schema, $ref)
    return target ? { ...(walk(target, [...within, $ref]) as object), ...own } : own
  }
  return walk(schema, []) as object
}

function resolve(schema: object, ref: string): object | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  let at: unknown = schema
  for (const part of ref.slice(2).split('/').filter(Boolean)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = Object(at)[key]
  }
  return typeof at === 'object' && at !== null ? at : undefined
}
