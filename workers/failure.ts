/** Why a call to the stage service did not give a result. */
export interface StageFailureOptions {
  /** Whether another attempt may go better. */
  retryable: boolean
  /** Whether it tells that the service is ill, and so counts towards opening the circuit. */
  ill: boolean
  /** Whether no connection came to be, so that the service has not begun anything. */
  unmet?: boolean
  /** How long the service asked to be left alone, in ms. */
  retryAfterMs?: number | undefined
}

export class StageFailure extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly ill: boolean
  readonly unmet: boolean
  readonly retryAfterMs: number

  /** `message` is shown to the user whose job it is. */
  constructor(code: string, message: string, options: StageFailureOptions) {
    const { retryable, ill, unmet = false, retryAfterMs = 0 } = options
    super(message)
    this.name = 'StageFailure'
    this.code = code
    this.retryable = retryable
    this.ill = ill
    this.unmet = unmet
    this.retryAfterMs = retryAfterMs
  }
}

/** Answers that another attempt cannot change are all of 4xx but these. */
const RETRYABLE_4XX: ReadonlySet<number> = new Set([408, 425, 429])
const MAX_RETRY_AFTER_MS = 86_400_000

/** What a non-2xx answer means; `body` is as much of it as was read. */
export function failureOfStatus(status: number, body: string, retryAfter: string | undefined): StageFailure {
  const detail = detailOf(body)
  return new StageFailure(
    detail.code ?? `STAGE_SERVICE_${status}`,
    detail.message ?? `The stage service answered with status ${status}`,
    {
      retryable: status >= 500 || RETRYABLE_4XX.has(status),
      ill: status >= 500,
      retryAfterMs: parseRetryAfter(retryAfter),
    },
  )
}

/** RFC 9110, 10.2.3: seconds or an HTTP date; in ms, 0 when absent or unreadable. */
function parseRetryAfter(value: string | undefined): number {
  if (!value) return 0
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : 0
}

/** A service's error code, if it is one: codes are logged, and words might be a user's. */
export function codeOf(code: unknown): string | undefined {
  return typeof code === 'string' && /^[A-Za-z0-9_.-]{1,100}$/.test(code) ? code : undefined
}

/** `{ detail: { code, message } }`; FastAPI's own errors have a text as detail. */
function detailOf(body: string): { code?: string | undefined; message?: string | undefined } {
  try {
    const { detail } = JSON.parse(body)
    if (typeof detail === 'string') return { message: clip(detail) }
    const { code, message } = detail ?? {}
    return {
      code: codeOf(code),
      message: typeof message === 'string' ? clip(message) : undefined,
    }
  } catch {
    return {}
  }
}

/** A service's words, short enough to be kept in every event of a job. */
export function clip(text: string): string {
  return text.length > 500 ? `${text.slice(0, 499)}…` : text
}
