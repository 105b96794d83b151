/** Why a call to the stage service gave no result. */
import { clip, reasonOf } from './reason.ts'

export interface StageFailureOptions {
  /** Whether another attempt may succeed. */
  retryable: boolean
  /** Whether it shows that the service is unhealthy, and so counts towards opening the circuit. */
  ill: boolean
  /** Set if, as far as we know, the service did not start: the failure then uses up no attempt. */
  unmet?: Unmet | undefined
  /** How long the service asked us to wait, in ms. */
  retryAfterMs?: number | undefined
  /** Earlier stages whose files their service no longer has. */
  gone?: readonly number[] | undefined
  /** Shown to the user instead of `words`; contains the service's own text. */
  shown?: string | undefined
  /** The status of the service's answer, if that answer says that it failed. */
  answered?: number | undefined
}

/**
 * `unsent`: not one byte of the request was sent. `gateway`: a proxy in front of the service reports it unavailable, which
 * may also mean that this request crashed it.
 */
export type Unmet = 'unsent' | 'gateway'

export class StageFailure extends Error {
  readonly code: string
  /** What happened, in our own words and without any text of the service, so it is safe to log. */
  readonly words: string
  readonly retryable: boolean
  readonly ill: boolean
  readonly unmet: Unmet | undefined
  readonly retryAfterMs: number
  readonly gone: readonly number[]
  readonly answered: number | undefined

  /** `message` is shown to the user whose job it is. */
  constructor(code: string, words: string, options: StageFailureOptions) {
    const { retryable, ill, unmet, retryAfterMs = 0, gone = [], shown = words, answered } = options
    super(shown)
    this.name = 'StageFailure'
    this.code = code
    this.words = words
    this.retryable = retryable
    this.ill = ill
    this.unmet = unmet
    this.retryAfterMs = retryAfterMs
    this.gone = gone
    this.answered = answered
  }

  /** The message if it contains the service's own text, which may be anything. */
  get theirs(): string | undefined {
    return this.message === this.words ? undefined : this.message
  }
}

/** The only 4xx answers that are retried. */
const RETRYABLE_4XX: ReadonlySet<number> = new Set([408, 425, 429])
const GATEWAY: ReadonlySet<number> = new Set([502, 503, 504])
const MAX_RETRY_AFTER_MS = 86_400_000

/** What a non-2xx answer means; `body` holds as much of it as was read. */
export function failureOfStatus(
  status: number,
  headers: Record<string, string | string[] | undefined>,
  body: string,
): StageFailure {
  const isPage = /^\s*</.test(body)
  const isGateway = isPage && GATEWAY.has(status)
  const location = status < 400 ? placeOf(headers.location) : undefined
  const words = `The stage service answered with status ${status}${kindOf(isGateway, location !== undefined)}`
  const { code, message } = reasonOf(body)
  return new StageFailure(code ?? `STAGE_SERVICE_${status}`, words, {
    shown: location ? `${words} to ${location}: WORKER_URL must be the address that answers` : message,
    retryable: status >= 500 || RETRYABLE_4XX.has(status),
    ill: status >= 500,
    unmet: isGateway ? 'gateway' : undefined,
    retryAfterMs: parseRetryAfter(headers['retry-after']),
    answered: status,
  })
}

function kindOf(isGateway: boolean, isRedirect: boolean): string {
  if (isGateway) return ' and an HTML page: a gateway in front of it reports it unavailable'
  return isRedirect ? ', a redirect' : ''
}

/** Where a redirect leads, without the query, which may contain a signature. */
function placeOf(location: string | string[] | undefined): string | undefined {
  const [place = ''] = [location].flat()
  return clip(place.split(/[?#]/, 1)[0] as string) || undefined
}

/** RFC 9110, 10.2.3: seconds or an HTTP date; in ms, 0 when absent or unreadable. */
function parseRetryAfter(header: string | string[] | undefined): number {
  const [value] = [header].flat()
  if (!value) return 0
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : 0
}
