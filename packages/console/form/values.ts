/** The typed values of a form, and the request body made from them. */
import { type Field, valueBehind } from './schema.ts'

/** By field path, joined with `/`: text as typed, options as chosen. */
export type Values = Readonly<Record<string, string | readonly string[] | boolean>>

/** Messages by field path; '' holds those that belong to no field. */
export type Faults = Readonly<Record<string, string>>

export const keyOf = (field: Pick<Field, 'path'>): string => field.path.join('/')

/** The body for these values; `faults` name values that are not valid JSON. Empty fields are left out. */
export function toBody(
  fields: readonly Field[],
  values: Values,
): { body: Record<string, unknown>; faults: Faults } {
  const body: Record<string, unknown> = {}
  const faults: Record<string, string> = {}
  for (const field of fields) {
    const read = readValue(field, values[keyOf(field)])
    if ('fault' in read) faults[keyOf(field)] = read.fault
    else if (read.value !== undefined) put(body, field.path, read.value)
  }
  return { body, faults }
}

/** The values that would produce this body, for running a job again with changes. */
export function fromBody(fields: readonly Field[], body: Record<string, unknown>): Values {
  const values: Record<string, string | readonly string[] | boolean> = {}
  for (const field of fields) {
    const value = field.path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), body)
    if (value === undefined || value === null) continue
    if (field.kind === 'choices' && Array.isArray(value)) values[keyOf(field)] = value.map(String)
    else if (field.kind === 'lines' && Array.isArray(value)) values[keyOf(field)] = value.join('\n')
    else if (field.kind === 'flag') values[keyOf(field)] = value === true
    else if (field.kind === 'json') {
      if (typeof value === 'string' && isPlainText(field, value)) values[keyOf(field)] = value
      else if (!isRecord(value) || Object.keys(value).length > 0)
        values[keyOf(field)] = JSON.stringify(value, null, 2)
    } else values[keyOf(field)] = String(value)
  }
  return values
}

/**
 * The server's messages, each at the field it is about. A path such as `body/inputs/sources/0` belongs to the field
 * above it.
 */
export function faultsOf(
  fields: readonly Field[],
  errors: readonly { path: string; message: string }[],
): Faults {
  const faults: Record<string, string> = {}
  for (const { path, message } of errors) {
    const inside = path.replace(/^body\/?/, '')
    const field = fields.find((one) => inside === keyOf(one) || inside.startsWith(`${keyOf(one)}/`))
    const key = field ? keyOf(field) : inside === 'workflow_id' ? inside : ''
    const text = key === '' ? `${path} ${message}` : plainly(message)
    const known = faults[key]
    if (!known) faults[key] = text
    else if (!known.includes(text)) faults[key] = `${known}; ${text}`
  }
  return faults
}

/** Rewords a validator's message for people. */
function plainly(message: string): string {
  return message
    .replace(/^must have required property.*/, 'is required')
    .replace(/^must be (<=|>=) /, (_, than) => `must be at ${than === '<=' ? 'most' : 'least'} `)
    .replace(
      /^must NOT have (more|fewer) than /,
      (_, than) => `must have at ${than === 'more' ? 'most' : 'least'} `,
    )
    .replace('must match format "uuid"', 'must be a UUID')
}

function readValue(field: Field, raw: Values[string] | undefined): { value: unknown } | { fault: string } {
  if (Array.isArray(raw))
    return { value: raw.length > 0 ? raw.map((option) => valueBehind(field, option)) : undefined }
  if (typeof raw === 'boolean') return { value: raw || field.schema.default === true ? raw : undefined }
  const text = typeof raw === 'string' ? raw : ''
  if (text.trim() === '') return { value: undefined }
  if (field.kind === 'choice') return { value: valueBehind(field, text) }
  if (field.kind === 'number') {
    const value = Number(text)
    return Number.isFinite(value) ? { value } : { fault: 'must be a number' }
  }
  if (field.kind === 'lines') {
    return { value: text.split('\n').flatMap((line) => line.trim() || []) }
  }
  if (field.kind === 'json') return isPlainText(field, text) ? { value: text } : readJson(text)
  return { value: text }
}

/** If a field takes a string or a list, the text is a list only if it contains known list entries. */
function isPlainText({ schema: { anyOf } }: Field, text: string): boolean {
  if (!anyOf?.some(({ type }) => type === 'string')) return false
  const needed = anyOf.flatMap(({ items }) => items?.required ?? [])
  const read = readJson(text)
  if (!('value' in read)) return true
  if (typeof read.value === 'string') return false
  if (!Array.isArray(read.value)) return anyOf.every(({ type }) => type !== 'object')
  return !read.value.every((one) => isRecord(one) && needed.every((name) => name in one))
}

function readJson(text: string): { value: unknown } | { fault: string } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { fault: `is not JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
}

function put(body: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    body[name] = value
    return
  }
  const inner = isRecord(body[name]) ? body[name] : {}
  body[name] = inner
  put(inner, rest, value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
