/** Headers in which a source states its limits. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Limits } from './limiter.ts'

const MAX_WAIT_MS = 24 * 60 * 60 * 1000

/** RFC 9110, 10.2.3: seconds or an HTTP date, as ms from `now`; undefined if absent or invalid. */
export function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  const text = [value].flat()[0]?.trim() ?? ''
  if (text === '') return undefined
  // Date.parse finds dates in many strings that are not dates.
  const date = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : date - now
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_WAIT_MS) : undefined
}

/** Crossref's limits: `x-rate-limit-limit` per `x-rate-limit-interval` ("1s"), and `x-concurrency-limit`. */
export function intervalOf(headers: IncomingHttpHeaders): Partial<Limits> {
  const count = Number(headers['x-rate-limit-limit'])
  const seconds = Number(/^(\d+(?:\.\d+)?)s?$/.exec(String(headers['x-rate-limit-interval'] ?? ''))?.[1])
  const lanes = Number(headers['x-concurrency-limit'])
  return {
    ...(count > 0 && seconds > 0 && { intervalMs: Math.ceil((seconds * 1000) / count) }),
    ...(lanes >= 1 && { lanes: Math.floor(lanes) }),
  }
}
