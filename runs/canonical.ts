/** RFC 8785: the canonical text of a JSON value, and its SHA-256, for the keys and digests of runs. */
import { createHash } from 'node:crypto'

/** Throws a TypeError for a value that JSON cannot represent. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    // `sort` compares UTF-16 code units, as the RFC requires.
    const members = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`)
    return `{${members.join(',')}}`
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`${value} cannot be written as JSON`)
  // JSON.stringify writes numbers and strings as the RFC requires.
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`${typeof value} cannot be written as JSON`)
  return text
}

export function sha256(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}
