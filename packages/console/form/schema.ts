/** The fields of a stage's form, read from its execute route in the OpenAPI document. */

import type { Schema } from './json-schema.ts'
import { type Structure, structureOf } from './structure.ts'

export interface OpenApi {
  paths: Record<string, { post?: { requestBody?: { content?: Record<string, { schema?: Schema }> } } }>
  components?: { schemas?: Record<string, Schema> }
}

/** How a field is edited. `json`: kept as JSON, and typed as JSON only where its schema tells no structure. */
export type Kind = 'text' | 'long-text' | 'number' | 'flag' | 'choice' | 'choices' | 'lines' | 'json'

export interface Field {
  /** Where its value goes in the body, e.g. `['inputs', 'max_results']`. */
  path: string[]
  kind: Kind
  label: string
  hint: string
  required: boolean
  options: string[]
  schema: Schema
}

/** The form fields of `stage` in schema order, without the workflow ID; null if the stage does not exist. */
export function fieldsOf(document: OpenApi, stage: number): Field[] | null {
  const content = document.paths[`/api/workflow/stages/${stage}/execute`]?.post?.requestBody?.content
  const schema = content?.['application/json']?.schema
  if (!schema) return null
  const resolve = (one: Schema): Schema => {
    const name = /^#\/components\/schemas\/(.+)$/.exec(one.$ref ?? '')?.[1]
    return (name && document.components?.schemas?.[name]) || one
  }
  return members(resolve(schema), [], resolve).filter(({ path }) => path.join() !== 'workflow_id')
}

function members(schema: Schema, path: string[], resolve: (one: Schema) => Schema): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, raw]) => {
    const member = resolve(raw)
    const at = [...path, name]
    if (member.type === 'object' && member.properties) return members(member, at, resolve)
    return [toField(member, at, schema.required?.includes(name) ?? false)]
  })
}

function toField(schema: Schema, path: string[], required: boolean): Field {
  const kind = kindOf(schema)
  const options = optionsOf(kind === 'choices' ? (schema.items ?? {}) : schema)
  const label = schema.title ?? words(path.at(-1) ?? '')
  return { path, kind, label, hint: hintOf(schema, kind), required, options, schema }
}

function kindOf(schema: Schema): Kind {
  if (optionsOf(schema).length > 0) return 'choice'
  if (schema.type === 'array' && schema.items) {
    if (optionsOf(schema.items).length > 0) return 'choices'
    if (schema.items.type === 'string') return 'lines'
  }
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'boolean') return 'flag'
  if (schema.type === 'string') return (schema.maxLength ?? 0) > 500 ? 'long-text' : 'text'
  return 'json'
}

/** The values that a field may have, as texts; none when anything else is allowed too. */
function optionsOf(schema: Schema): string[] {
  return valuesOf(schema).map(String)
}

function valuesOf({ enum: listed, const: only, anyOf }: Schema): unknown[] {
  if (listed) return listed
  if (only !== undefined) return [only]
  const each = anyOf?.map(valuesOf) ?? []
  return each.every((values) => values.length > 0) ? each.flat() : []
}

/** The value behind an option: 0.95 behind "0.95", where the schema lists numbers. */
export function valueBehind({ schema, kind }: Field, option: string): unknown {
  const values = valuesOf(kind === 'choices' ? (schema.items ?? {}) : schema)
  return values.find((value) => String(value) === option) ?? option
}

function hintOf(schema: Schema, kind: Kind): string {
  const { minimum, maximum, minLength, maxLength, maxItems, default: preset, description } = schema
  const hasLengths = minLength !== undefined && maxLength !== undefined
  const parts = [
    // Descriptions of text fields are written for programs.
    !hasLengths && description && sentence(description),
    kind === 'json' && jsonHint(schema, structureOf(schema)),
    kind === 'lines' && `One per line${maxItems ? `, at most ${maxItems}` : ''}.`,
    minimum !== undefined && maximum !== undefined && `${minimum} to ${maximum}.`,
    hasLengths && `${minLength} to ${maxLength} characters.`,
    preset !== undefined && `${String(preset)} if left empty.`,
  ]
  return parts.filter(Boolean).join(' ')
}

function jsonHint({ type, anyOf }: Schema, structure: Structure | null): string {
  if (structure?.kind === 'groups') return 'One group per line, with commas between its terms.'
  if (structure) return ''
  if (anyOf) return anyOf.some((one) => one.type === 'string') ? 'Text, or JSON.' : 'As JSON.'
  return type === 'array' ? 'A JSON list.' : 'A JSON object.'
}

/** Names with a spelling of their own. */
const NAMES: Record<string, string> = { europepmc: 'Europe PMC', pubmed: 'PubMed', openalex: 'OpenAlex' }

/** Makes a name such as `year_from` readable. */
export function words(name: string): string {
  if (NAMES[name]) return NAMES[name]
  const spaced = name.replaceAll('_', ' ').trim()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
