/** Results are JSON. Rejects what JSON.stringify would drop or change, and says where it is. */
import { StageFailure } from './stage.ts'

/** This many levels work in every reader. The answer around the results is the first. */
const MAX_DEPTH = 200
const LONGEST_PATH = 80

/**
 * Returns a copy of the results in plain JSON types; throws `STAGE_RESULT_INVALID`. As everywhere in JavaScript, a member
 * that is undefined counts as absent, and -0 as 0. Nothing else is converted.
 */
export function fitResults(stage: number, value: unknown): Record<string, unknown> {
  const refuse: Refuse = (words) => {
    throw new StageFailure(422, 'STAGE_RESULT_INVALID', `Stage ${stage}: ${words}`, false)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(`it returned ${inWords(value)}; return an object, for example { papers: 12 }.`)
  return fit(value, 'results', 2, refuse) as Record<string, unknown>
}

type Refuse = (words: string) => never

function fit(value: unknown, path: string, depth: number, refuse: Refuse): unknown {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return text(value, path, refuse)
  if (typeof value === 'number') return number(value, path, refuse)
  if (!isPlain(value))
    return refuse(
      `${short(path)} is ${inWords(value)}, which JSON cannot represent; convert it to a text, number, list or plain object.`,
    )
  if (depth > MAX_DEPTH)
    return refuse(
      `${short(path)} is nested more than ${MAX_DEPTH} levels deep; flatten it, or write it to a file.`,
    )
  // Array.from, because `map` would skip holes.
  if (Array.isArray(value))
    return Array.from(value, (item, n) => fit(item, `${path}/${n}`, depth + 1, refuse))
  const members = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(
    members.map(([name, item]) => [
      text(name, `${path}, in one of its names,`, refuse),
      fit(item, `${path}/${name}`, depth + 1, refuse),
    ]),
  )
}

function text(value: string, path: string, refuse: Refuse): string {
  if (value.isWellFormed()) return value
  return refuse(
    `${short(path)} contains half a surrogate pair, which UTF-8 cannot encode; decode its source correctly.`,
  )
}

function number(value: number, path: string, refuse: Refuse): number {
  if (Number.isFinite(value)) return value + 0
  return refuse(`${short(path)} is ${value}, which JSON does not allow; use null for a missing value.`)
}

/** Whether a value is a list or a plain object. Of a Map, a Date or a Buffer, JSON would keep at most the fields. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  // The prototype of a plain object has none, also in another realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function inWords(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value)) return 'a list'
  const kind = typeof value === 'object' ? value.constructor?.name || 'object' : typeof value
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`
}

function short(path: string): string {
  return path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH)}…`
}
