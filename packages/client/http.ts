/** Sends requests with the caller's token, and throws if the response is an error. */
import { errorOf, foreign, StagecastError } from './stagecast-error.ts'

export interface HttpOptions {
  /** Where the API is, e.g. `https://stagecast.example.org`. In a page that the API itself serves, '' is enough. */
  baseUrl: string
  /** A JWT, or a function that returns one: called for each request, and once more if the API rejects the token. */
  token?: string | (() => string | Promise<string>) | undefined
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

/**
 * There was no connection, or it broke; `cause` is what `fetch` threw. It is a `TypeError` as from `fetch`, but cannot be
 * confused with one that a bug in the caller's own functions throws.
 */
export class ConnectionError extends TypeError {
  constructor(cause: unknown) {
    super(`The API cannot be reached: ${cause instanceof Error ? cause.message : cause}`, { cause })
    this.name = 'ConnectionError'
  }
}

/** Nothing arrived in time: a proxy between client and server holds the response back. */
export class Swallowed extends Error {}

/** Options of `request`: the options of `fetch`, with headers as a plain object. */
export type Init = Omit<RequestInit, 'headers'> & {
  headers?: Record<string, string>
  /** How long the response headers may take, in ms, before `Swallowed` is thrown. */
  within?: number
  /** Whether to send no token. */
  anonymous?: boolean
}

export class Http {
  private readonly base: string
  private readonly options: HttpOptions

  constructor(options: HttpOptions) {
    this.options = options
    this.base = options.baseUrl.replace(/\/+$/, '')
    // Only pages may use a relative URL. Any other bad URL would look like a lost connection and be retried for ever.
    if (!/^https?:\/\/[^/]/i.test(this.base) && !('location' in globalThis && /^(\/|$)/.test(this.base)))
      throw new TypeError(
        `baseUrl must be like https://stagecast.example.org, not ${JSON.stringify(this.base)}`,
      )
  }

  /** Returns the response with its body unread. Throws `StagecastError`, or `ConnectionError` if there was no response. */
  async request(path: string, init: Init = {}): Promise<Response> {
    const answer = await this.send(path, init)
    // The token may have expired since it was fetched.
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

  /** Returns JSON; sends `body` as JSON. */
  post<T>(path: string, body?: unknown, init: Init = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...init.headers }
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
    return this.json<T>(path, { ...init, method: 'POST', ...sent })
  }

  private async send(path: string, { within: ms, anonymous, ...init }: Init): Promise<Response> {
    const { token, fetch = globalThis.fetch } = this.options
    // The token has no time limit, because the user may have to sign in.
    const bearer = anonymous ? undefined : typeof token === 'function' ? await token() : token
    init.signal?.throwIfAborted()
    const headers = { ...init.headers, ...(bearer && { authorization: `Bearer ${bearer}` }) }
    const asked = connected(fetch(this.urlOf(path), { ...init, headers }), init.signal)
    return ms === undefined ? asked : within(ms, asked)
  }

  /** Our own paths are relative to the API's prefix; paths in its answers already contain it. */
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

/** Turns what `promise` throws into a lost connection, unless the caller aborted it. */
export async function connected<T>(promise: Promise<T>, signal?: AbortSignal | null): Promise<T> {
  try {
    return await promise
  } catch (error) {
    signal?.throwIfAborted()
    throw new ConnectionError(error)
  }
}

/** Throws `Swallowed` if `promise` does not settle in time. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Swallowed()), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
    // It may still fail after we gave up on it.
    promise.catch(() => {})
  }
}

/** Whether the same request may succeed later: there was no response, or its status says so. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof StagecastError)) return error instanceof ConnectionError
  return error.status === 408 || error.status === 429 || error.status >= 500
}

/** The longest delay of a timer; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Resolves after `ms`; throws the reason of `signal` when it is aborted. */
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
