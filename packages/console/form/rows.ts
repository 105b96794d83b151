/** Between the JSON of a structured value, which a form keeps, and the rows and lines that a person edits. */
import type { Part, Structure } from './structure.ts'

export type Row = Readonly<Record<string, string | boolean>>
type Rows = Extract<Structure, { kind: 'rows' | 'entries' }>

/** Where a row of `entries` has its name: no member of an object is called so. */
export const NAME = ''

/** Null if the text is something else, which then stays JSON. */
export function rowsOf(structure: Rows, text: string): Row[] | null {
  if (text.trim() === '') return []
  const value = parsed(text)
  if (structure.kind === 'entries') {
    if (!isRecord(value)) return null
    const entries = Object.entries(value)
    const isKnown = entries.every(([, one]) => fits(one, structure.parts))
    return isKnown ? entries.map(([name, one]) => ({ ...rowOf(one), [NAME]: name })) : null
  }
  if (Array.isArray(value) && value.every((one) => fits(one, structure.parts))) return value.map(rowOf)
  if (structure.text === null) return null
  return [{ [structure.text]: typeof value === 'string' ? value : text }]
}

/** '' for nothing. Rows in which nothing stands are left out. */
export function textOfRows(structure: Rows, rows: readonly Row[]): string {
  const filled = rows.flatMap((row) => {
    const value = objectOf(row, structure.parts)
    const name = String(row[NAME] ?? '').trim()
    return Object.keys(value).length > 0 || name ? [{ name, value }] : []
  })
  if (filled.length === 0) return ''
  if (structure.kind === 'entries')
    return JSON.stringify(Object.fromEntries(filled.map(({ name, value }) => [name, value])))
  const [only] = filled
  const isText = structure.text !== null && filled.length === 1 && Object.keys(only?.value ?? {}).length === 1
  const alone = isText && only?.value[structure.text ?? '']
  return typeof alone === 'string' ? alone : JSON.stringify(filled.map(({ value }) => value))
}

/** A line for each group, commas between its terms. Null if the text is something else. */
export function linesOf(text: string): string | null {
  if (text.trim() === '') return ''
  const value = parsed(text)
  const isGroups =
    Array.isArray(value) &&
    value.every((group) => Array.isArray(group) && group.every((term) => typeof term === 'string'))
  return isGroups ? (value as string[][]).map((group) => group.join(', ')).join('\n') : null
}

export function textOfLines(lines: string): string {
  const groups = lines.split('\n').flatMap((line) => {
    const terms = line.split(',').flatMap((term) => term.trim() || [])
    return terms.length > 0 ? [terms] : []
  })
  return groups.length > 0 ? JSON.stringify(groups) : ''
}

/** One text, or texts by name. */
export type OneOrEach = string | Readonly<Record<string, string>>

export function oneOrEach(text: string): OneOrEach {
  const value = parsed(text)
  if (typeof value === 'string') return value
  if (!isRecord(value)) return text
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]))
}

export function textOfEach(value: OneOrEach): string {
  if (typeof value === 'string') return value
  const filled = Object.entries(value).filter(([, text]) => text.trim() !== '')
  return filled.length > 0 ? JSON.stringify(Object.fromEntries(filled)) : ''
}

/** Whether a value has only known members, each a single value, and all that are needed. */
function fits(value: unknown, parts: readonly Part[]): boolean {
  if (!isRecord(value)) return false
  const isKnown = Object.entries(value).every(
    ([name, one]) =>
      parts.some((part) => part.name === name) && ['string', 'number', 'boolean'].includes(typeof one),
  )
  return isKnown && parts.every(({ name, required }) => !required || name in value)
}

function rowOf(value: unknown): Row {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([name, one]) => [
      name,
      typeof one === 'boolean' ? one : String(one),
    ]),
  )
}

function objectOf(row: Row, parts: readonly Part[]): Record<string, unknown> {
  return Object.fromEntries(
    parts.flatMap(({ name, kind }): [string, unknown][] => {
      const typed = row[name]
      if (typed === undefined || typed === false) return []
      if (typeof typed === 'string' && typed.trim() === '') return []
      // Anything that is not a number stays a string, and the server rejects it.
      const isNumber = kind === 'number' && Number.isFinite(Number(typed))
      return [[name, isNumber ? Number(typed) : typed]]
    }),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
