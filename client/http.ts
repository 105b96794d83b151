/** Requests with the caller's token; an answer that is an error is thrown. */
import { errorOf, type StagecastError } from './stagecast-error.ts'

export interface HttpOptions {
  /** Where the API is, e.g. `https://stagecast.example.org`; in a page of the API's own origin '' will do. */
  baseUrl: string
  /** A JWT, or where to get one: asked for each request, and once more when the API refuses what it gave. */
  token?: string | (() => string | Promise<string>) | undefined
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

export class Http {
  private readonly base: string
  private readonly options: HttpOptions

  constructor(options: HttpOptions) {
    this.options = options
    this.base = options.baseUrl.replace(/\/+$/, '')
  }

  /** The answer, its body unread. Throws `StagecastError`, or what `fetch` throws when there was no answer. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.send(path, init)
    // A token may have ended between the question for it and its use.
    if (answer.status === 401 && typeof this.options.token === 'function') {
      await answer.body?.cancel()
      return this.accept(await this.send(path, init))
    }
    return this.accept(answer)
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await this.request(path, init)).json() as Promise<T>
  }

  /** `json` with a body. */
  post<T>(path: string, body?: unknown, init: RequestInit = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string>) }
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
    return this.json<T>(path, { ...init, method: 'POST', ...sent })
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const { token, fetch = globalThis.fetch } = this.options
    const bearer = typeof token === 'function' ? await token() : token
    const headers = { ...(init.headers as Record<string, string>) }
    if (bearer) headers.authorization = `Bearer ${bearer}`
    return fetch(`${this.base}${path}`, { ...init, headers })
  }

  private async accept(answer: Response): Promise<Response> {
    if (answer.ok) return answer
    throw await errorOf(answer)
  }
}

/** Whether the same request may succeed later: there was no answer, or one that says so. */
export function isPassing(error: unknown): boolean {
  const { name, status } = error as StagecastError
  if (name === 'StagecastError') return status === 408 || status === 429 || status >= 500
  // What `fetch` throws when the connection fails, in every engine.
  return error instanceof TypeError
}

/** Resolves after `ms`; throws the reason of `signal` once that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
  })
}
