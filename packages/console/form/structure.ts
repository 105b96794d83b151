/** Describes structured values by their schema, so that the form can offer fields instead of JSON. */
import type { Schema } from './json-schema.ts'

/** A member of a row. */
export interface Part {
  name: string
  kind: 'text' | 'long-text' | 'number' | 'flag' | 'choice'
  required: boolean
  options: readonly string[]
  schema: Schema
}

export type Structure =
  /** Lists of texts in a list: a line for each. */
  | { kind: 'groups' }
  /** Objects in a list; `text`: a text alone means a single row with only this member. */
  | { kind: 'rows'; parts: readonly Part[]; text: string | null }
  /** Objects by a name. */
  | { kind: 'entries'; parts: readonly Part[] }
  /** One text, or a text for each of these names. */
  | { kind: 'each'; names: readonly string[] }

/** Null if only JSON can say it. */
export function structureOf(schema: Schema): Structure | null {
  const { type, items, properties, anyOf } = schema
  if (type === 'array') {
    if (items?.type === 'array' && items.items?.type === 'string') return { kind: 'groups' }
    const parts = partsOf(items)
    return parts && { kind: 'rows', parts, text: null }
  }
  if (type === 'object' && !properties) {
    const parts = partsOf(valueSchema(schema))
    return parts && { kind: 'entries', parts }
  }
  if (anyOf?.length !== 2) return null
  const other = anyOf.find((one) => one.type !== 'string')
  if (!other || !anyOf.some((one) => one.type === 'string')) return null
  return other.type === 'array' ? rowsOrText(other) : eachOrText(other)
}

/** The schema of each value, where names are free. */
function valueSchema({ additionalProperties, patternProperties }: Schema): Schema | undefined {
  const [pattern, ...others] = Object.values(patternProperties ?? {})
  if (pattern) return others.length === 0 ? pattern : undefined
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

function rowsOrText({ items }: Schema): Structure | null {
  const parts = partsOf(items)
  const needed = parts?.filter(({ required }) => required) ?? []
  const [only] = needed
  if (!parts || !only || needed.length > 1 || !only.kind.endsWith('text')) return null
  return { kind: 'rows', parts, text: only.name }
}

function eachOrText({ properties = {} }: Schema): Structure | null {
  const names = Object.keys(properties)
  const isTexts = names.length > 0 && names.every((name) => properties[name]?.type === 'string')
  return isTexts ? { kind: 'each', names } : null
}

const LONG = 500

/** Null unless every member is a single value. */
function partsOf(schema: Schema | undefined): readonly Part[] | null {
  if (schema?.type !== 'object') return null
  const parts = Object.entries(schema.properties ?? {}).map(([name, member]): Part | null => {
    const options = optionsOf(member)
    const kind = options.length > 0 ? 'choice' : kindOf(member)
    return kind && { name, kind, required: schema.required?.includes(name) ?? false, options, schema: member }
  })
  const known = parts.flatMap((part) => part ?? [])
  return known.length > 0 && known.length === parts.length ? known : null
}

function kindOf({ type, maxLength = 0 }: Schema): Part['kind'] | null {
  if (type === 'string') return maxLength > LONG ? 'long-text' : 'text'
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'boolean' ? 'flag' : null
}

/** Only texts: a number behind an option would lose its type. */
function optionsOf({ enum: listed, const: only, anyOf }: Schema): string[] {
  const values = listed ?? (only !== undefined ? [only] : (anyOf ?? []).map((one) => one.const))
  return values.every((value) => typeof value === 'string') ? (values as string[]) : []
}
