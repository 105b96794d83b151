/** Requests with the caller's token; an answer that is an error is thrown. */
import { errorOf, foreign, StagecastError } from './stagecast-error.ts'

export interface HttpOptions {
  /** Where the API is, e.g. `https://stagecast.example.org`; in a page of the API's own origin '' will do. */
  baseUrl: string
  /** A JWT, or where to get one: asked for each request, and once more when the API refuses what it gave. */
  token?: string | (() => string | Promise<string>) | undefined
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

/**
 * There was no connection, or it broke: `cause` is what `fetch` threw. A `TypeError` as that is, but not to be mistaken
 * for one that a mistake in the caller's own functions throws.
 */
export class ConnectionError extends TypeError {
  constructor(cause: unknown) {
    super(`The API cannot be reached: ${cause instanceof Error ? cause.message : cause}`, { cause })
    this.name = 'ConnectionError'
  }
}

/** Nothing came in time: something between here and the server keeps it to itself. */
export class Swallowed extends Error {}

/** For `request`: everything that `fetch` takes but for the shape of the headers. */
export type Init = Omit<RequestInit, 'headers'> & {
  headers?: Record<string, string>
  /** How long the head of the answer may take, in ms; then `Swallowed` is thrown. */
  within?: number
  /** Without the token. */
  anonymous?: boolean
}

export class Http {
  private readonly base: string
  private readonly options: HttpOptions

  constructor(options: HttpOptions) {
    this.options = options
    this.base = options.baseUrl.replace(/\/+$/, '')
    // A relative one is for pages alone; anything else would be reported as a lost connection, again and again.
    if (!/^https?:\/\/[^/]/i.test(this.base) && !('location' in globalThis && /^(\/|$)/.test(this.base)))
      throw new TypeError(
        `baseUrl must be like https://stagecast.example.org, not ${JSON.stringify(this.base)}`,
      )
  }

  /** The answer, its body unread. Throws `StagecastError`, or `ConnectionError` when there was no answer. */
  async request(path: string, init: Init = {}): Promise<Response> {
    const answer = await this.send(path, init)
    // A token may have ended between the question for it and its use.
    if (answer.status === 401 && !init.anonymous && typeof this.options.token === 'function') {
      await answer.body?.cancel()
      return accept(await this.send(path, init))
    }
    return accept(answer)
  }

  async json<T>(path: string, init: Init = {}): Promise<T> {
    const answer = await this.request(path, init)
    const text = await connected(answer.text(), init.signal)
    try {
      return JSON.parse(text)
    } catch {
      throw foreign(answer, text)
    }
  }

  /** `json` with a body. */
  post<T>(path: string, body?: unknown, init: Init = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...init.headers }
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
    return this.json<T>(path, { ...init, method: 'POST', ...sent })
  }

  private async send(path: string, { within: ms, anonymous, ...init }: Init): Promise<Response> {
    const { token, fetch = globalThis.fetch } = this.options
    // Not on the clock: somebody may have to sign in.
    const bearer = anonymous ? undefined : typeof token === 'function' ? await token() : token
    init.signal?.throwIfAborted()
    const headers = { ...init.headers, ...(bearer && { authorization: `Bearer ${bearer}` }) }
    const asked = connected(fetch(this.urlOf(path), { ...init, headers }), init.signal)
    return ms === undefined ? asked : within(ms, asked)
  }

  /** Our own paths begin below the prefix of the API; those in its answers have the prefix already. */
  private urlOf(path: string): string {
    if (/^https?:/i.test(path)) return path
    const [, origin = '', prefix = ''] = /^(https?:\/\/[^/]+)?(.*)$/i.exec(this.base) ?? []
    return path.startsWith(`${prefix}/api/`) ? `${origin}${path}` : `${this.base}${path}`
  }
}

async function accept(answer: Response): Promise<Response> {
  if (answer.ok) return answer
  throw await errorOf(answer)
}

/** What `promise` throws is a lost connection, unless the caller wanted its end. */
export async function connected<T>(promise: Promise<T>, signal?: AbortSignal | null): Promise<T> {
  try {
    return await promise
  } catch (error) {
    signal?.throwIfAborted()
    throw new ConnectionError(error)
  }
}

/** Throws `Swallowed` when nothing came of it in time. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Swallowed()), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
    // Given up, it may still fail.
    promise.catch(() => {})
  }
}

/** Whether the same request may succeed later: there was no answer, or one that says so. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof StagecastError)) return error instanceof ConnectionError
  return error.status === 408 || error.status === 429 || error.status >= 500
}

/** The longest a timer can wait; with more it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Resolves after `ms`; throws the reason of `signal` once that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      },
      Math.min(ms, LONGEST_TIMER_MS),
    )
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
  })
}
