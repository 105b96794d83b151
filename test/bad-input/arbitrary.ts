/** Generates values that match a JSON Schema of the published document, and values that do not. */
import fc, { type Arbitrary } from 'fast-check'

/** The part of JSON Schema that the document uses; an unknown keyword fails the test. */
export interface Schema {
  type?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  patternProperties?: Record<string, Schema>
  minProperties?: number
  maxProperties?: number
  items?: Schema
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  title?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  $id?: string
}

const KNOWN = new Set(
  'type properties required additionalProperties patternProperties minProperties maxProperties items minItems maxItems uniqueItems anyOf enum const pattern format minLength maxLength minimum maximum title description default examples $id'.split(
    ' ',
  ),
)

/** Values that match the schema. */
export function fitting(schema: Schema): Arbitrary<unknown> {
  for (const keyword of Object.keys(schema))
    if (!KNOWN.has(keyword)) throw new Error(`the generator does not know the keyword ${keyword}`)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(fitting))
  switch (schema.type) {
    case 'object':
      return objects(schema)
    case 'array':
      return arrays(schema)
    case 'string':
      return texts(schema)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6 })
    case 'number':
      return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

/** Valid values with one part replaced by something else, so that most of them are invalid. */
export function spoiled(schema: Schema): Arbitrary<unknown> {
  return fc
    .tuple(fitting(schema), fc.array(fc.nat(7), { maxLength: 4 }), oddities)
    .map(([value, path, odd]) => spoil(value, path, odd))
}

/** What careless or hostile clients send instead of a value. */
const oddities: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '../..',
    [],
    {},
    [[]],
    -0,
    1e308,
    0.1,
    -1,
    2 ** 53,
    true,
  ),
  fc.integer().map(String),
  fc.string({ minLength: 4001, maxLength: 5000 }),
)

function spoil(value: unknown, [turn, ...rest]: number[], odd: unknown): unknown {
  if (turn === undefined || typeof value !== 'object' || value === null) return odd
  if (Array.isArray(value)) {
    const at = turn % (value.length + 1)
    return Object.assign([...value], { [at]: at < value.length ? spoil(value[at], rest, odd) : odd })
  }
  const names = [...Object.keys(value), 'something_new']
  const name = names[turn % names.length] as string
  const old = (value as Record<string, unknown>)[name]
  const { [name]: _, ...others } = value as Record<string, unknown>
  // Sometimes remove the member.
  return rest.length > 2 ? others : { ...others, [name]: old === undefined ? odd : spoil(old, rest, odd) }
}

function objects({
  properties = {},
  required = [],
  patternProperties,
  additionalProperties,
  minProperties = 0,
}: Schema): Arbitrary<unknown> {
  const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one)]))
  if (Object.keys(members).length > 0)
    return fc
      .record(members, { requiredKeys: required })
      .filter((value) => Object.keys(value).length >= minProperties)
  if (additionalProperties === false && !patternProperties) return fc.constant({})
  // The document writes `additionalProperties` where the schema has `patternProperties`.
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined
  const values = Object.values(patternProperties ?? {})[0] ?? others
  const names = fc.string({ maxLength: 10 }).filter((name) => name !== '__proto__' && name !== 'constructor')
  return fc.dictionary(names, values ? fitting(values) : plainValue, { minKeys: minProperties, maxKeys: 4 })
}

function arrays({ items = {}, minItems = 0, maxItems, uniqueItems }: Schema): Arbitrary<unknown> {
  const limits = { minLength: minItems, maxLength: Math.min(maxItems ?? 5, minItems + 5) }
  return uniqueItems
    ? fc.uniqueArray(fitting(items), { ...limits, maxLength: Math.max(minItems, 1) })
    : fc.array(fitting(items), limits)
}

function texts({ format, pattern, minLength = 0, maxLength = minLength + 40 }: Schema): Arbitrary<string> {
  if (format === 'uuid')
    return fc.oneof(
      fc.uuid(),
      fc.uuid().map((id) => id.toUpperCase()),
    )
  const text = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 60) })
  // JSON Schema counts code points, the generator counts graphemes.
  const fits = (value: string) => [...value].length <= maxLength && [...value].length >= minLength
  if (!pattern) return text.filter(fits)
  const match = new RegExp(pattern, 'u')
  // Random text would hardly ever match a whole pattern.
  if (/^\^(?!\[\^)[^(]*\$$/.test(pattern)) return fc.stringMatching(match)
  return text
    .map((value) => `${value}x`.slice(0, maxLength))
    .filter((value) => fits(value) && match.test(value))
}

const plainValue = fc.oneof(fc.string({ maxLength: 20 }), fc.integer(), fc.boolean(), fc.constant(null))
