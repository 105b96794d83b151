/** Reads values from a source's answer, where any field may be missing or have another type than documented. */
import { SourceFailure } from '../source.ts'

export type Json = Record<string, unknown>

/** Parses a JSON object. Throws a `SourceFailure` for anything else. */
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

/** The value, or `{}` if it is not an object. */
export function object(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null || value === '' ? [] : [value]
}

/** A non-blank string, or a number as a string; otherwise null. */
export function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

export function texts(value: unknown): string[] {
  return list(value).flatMap((item) => text(item) ?? [])
}

/** An integer, or a string of digits as a number; otherwise null. */
export function integer(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : null
}

/** The first year in a text. */
export function yearIn(value: unknown): number | null {
  const found = /(?<!\d)(1[5-9]\d\d|20\d\d|21\d\d)(?!\d)/.exec(text(value) ?? '')
  return found ? Number(found[1]) : null
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** The first month in a text such as "Mar", "03" or "1998 Dec-1999 Jan"; null for a season. */
export function monthIn(value: unknown): number | null {
  const written = text(value) ?? ''
  const number = /^\d{1,2}$/.test(written) ? Number(written) : 0
  if (number >= 1 && number <= 12) return number
  const named = /(?<!\p{L})(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/iu.exec(written)
  return named?.[1] ? MONTHS.indexOf(named[1].toLowerCase()) + 1 : null
}
