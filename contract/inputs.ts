/** Checks `inputs` of a stage by its JSON Schema (2020-12, formats asserted). The one place here that needs a library. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** A fault of a value; `instancePath` is a JSON Pointer inside it. With the schema that it violates. */
export type InputFault = ErrorObject

export type InputCheck = (inputs: unknown) => InputFault[]

/** A fault of a schema; `pointer` is inside it. */
export interface SchemaFault {
  pointer: string
  message: string
}

const MAX_FAULTS = 5

type Compiled = { check: InputCheck } | { faults: SchemaFault[] }

/** A catalogue is checked first and opened then: each schema is compiled once. */
const known = new WeakMap<object, Compiled>()
/** Checks schemas, not inputs: one for all, because to compile the dialect itself takes longest. */
const dialect = new Ajv2020({ strict: false, allErrors: true })

/** The check that a schema asks for, or what is wrong with the schema. */
export function compileInputs(schema: object): Compiled {
  const compiled = known.get(schema) ?? compile(schema)
  known.set(schema, compiled)
  return compiled
}

function compile(schema: object): Compiled {
  const unknownFormats = new Set<string>()
  const ajv = new Ajv2020({
    ...{ strict: false, allErrors: true, verbose: true, validateSchema: false, meta: false },
    // A format that it does not know it only warns about, and would let everything pass.
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
    return yield { pointer: '/$schema', message: `must be ${DIALECT}, or be left out` }
  if (type !== 'object') return yield { pointer: '/type', message: 'must be "object": inputs are an object' }
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
  return { pointer: at.slice(1), message: `has the format ${JSON.stringify(format)}, which is not known` }
}

function compileFault(schema: object, { message, missingRef }: Error & { missingRef?: string }): SchemaFault {
  if (missingRef === undefined) return { pointer: '', message: `cannot be used: ${message}` }
  for (const [pointer, node] of nodesOf(schema)) {
    const { $ref } = node as { $ref?: unknown }
    if (typeof $ref === 'string' && missingRef.endsWith($ref))
      return {
        pointer: `${pointer}/$ref`,
        message: `refers to ${JSON.stringify($ref)}, which is not in this schema; nothing is fetched`,
      }
  }
  return { pointer: '', message: `refers to ${missingRef}, which is not in this schema; nothing is fetched` }
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

/** Nodes that references may blow a schema up to in the document; what is beyond is left open. */
const MAX_NODES = 5000

/**
 * The schema as the OpenAPI document shows it: references are replaced by what they refer to, because `#` would mean the
 * document there. What refers to itself is left open at its second time.
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
