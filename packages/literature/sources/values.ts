/** Reading what a source answered: nothing in it is certain to be there, or of the type its documents promise. */
import { SourceFailure } from '../source.ts'

export type Json = Record<string, unknown>

/** The body as a JSON object, or a `SourceFailure`. */
export function parseObject(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {}
  throw unreadable()
}

export function unreadable(): SourceFailure {
  return new SourceFailure('bad_answer', 'its answer cannot be read')
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object, or an empty one. */
export function object(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null || value === '' ? [] : [value]
}

/** A text that is not blank, a number as its text, or null. */
export function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

export function texts(value: unknown): string[] {
  return list(value).flatMap((item) => text(item) ?? [])
}

/** A whole number, also one written as a text, or null. */
export function integer(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : null
}

/** The first four digits that are a year. */
export function yearIn(value: unknown): number | null {
  const found = /(?<!\d)(1[5-9]\d\d|20\d\d|21\d\d)(?!\d)/.exec(text(value) ?? '')
  return found ? Number(found[1]) : null
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** The first month in a text: "Mar", "03", "1998 Dec-1999 Jan"; null for a season. */
export function monthIn(value: unknown): number | null {
  const written = text(value) ?? ''
  const number = /^\d{1,2}$/.test(written) ? Number(written) : 0
  if (number >= 1 && number <= 12) return number
  const named = /(?<!\p{L})(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/iu.exec(written)
  return named?.[1] ? MONTHS.indexOf(named[1].toLowerCase()) + 1 : null
}
