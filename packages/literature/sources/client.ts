/** The HTTP side of every source: rate limiting, deadlines and retries. */
import { type Dispatcher, request } from 'undici'
import type { Clock } from '../clock.ts'
import { SourceFailure } from '../source.ts'
import { intervalOf, retryAfterMs } from './headers.ts'
import type { Limiter } from './limiter.ts'
import { errorInside, saysSlowDown, saysWrong, withoutSent, wordsOf } from './words-of-source.ts'

export interface Connection {
  dispatcher: Dispatcher
  /** Without a trailing slash. */
  baseUrl: string
  clock: Clock
  limiter: Limiter
  userAgent: string
  /** An e-mail address for sources that ask for one, so that they can write to us instead of blocking us. */
  contact?: string | undefined
  key?: string | undefined
  /** The name of the variable that holds the key, for messages. */
  keySetting?: string | undefined
  /** Whether it documents 403 as "too many requests". */
  forbiddenIsSlow?: boolean | undefined
  /** The time limit of one whole search, in ms. */
  deadlineMs: number
  /** The time limit of one request, in ms. */
  requestMs: number
}

export interface Session {
  /** Returns the body of a 200 with this media type. Rejects with a `SourceFailure`, or with the signal's reason. */
  get(path: string, parameters: Record<string, string>, type: 'json' | 'xml'): Promise<string>
}

const ATTEMPTS = 4
const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 8_000
const MAX_BODY_BYTES = 32 * 1024 * 1024

/** All requests of one search, which share its deadline. */
export function openSession(connection: Connection, signal: AbortSignal): Session {
  const { clock, limiter } = connection
  const deadline = clock.now() + connection.deadlineMs
  return {
    async get(path, parameters, type) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(connection, path, parameters, type, deadline, signal)
        } catch (error) {
          if (!(error instanceof SourceFailure) || !error.again) throw error
          const asked = error.retryAfterMs
          const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1))
          // Wait at least as long as asked. Add jitter to our own back-off, so that jobs do not all retry at once.
          const wait = asked ?? backoff * (0.5 + clock.random() / 2)
          if (asked !== undefined) await limiter.pause(clock.now() + asked)
          if (attempt === ATTEMPTS || clock.now() + wait > deadline) throw error
          await clock.sleep(wait, signal)
        }
      }
    },
  }
}

async function once(
  connection: Connection,
  path: string,
  parameters: Record<string, string>,
  type: string,
  deadline: number,
  signal: AbortSignal,
): Promise<string> {
  const { clock, limiter, baseUrl, dispatcher, userAgent, requestMs } = connection
  const release = await limiter.enter(deadline, signal)
  const controller = new AbortController()
  const stop = () => controller.abort()
  const timer = setTimeout(stop, Math.min(requestMs, Math.max(1, deadline - clock.now())))
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    const { statusCode, headers, body } = await request(
      `${baseUrl}${path}?${new URLSearchParams(parameters)}`,
      {
        dispatcher,
        signal: controller.signal,
        headers: {
          'user-agent': userAgent,
          accept: type === 'json' ? 'application/json' : 'text/xml, application/xml',
        },
        // The timer above covers the whole request.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
    )
    await limiter.demand(intervalOf(headers))
    const text = await read(body)
    if (statusCode !== 200) {
      const retryAfter = retryAfterMs(headers['retry-after'], clock.now())
      throw failureOf(connection, statusCode, withoutSent(wordsOf(text) ?? '', parameters), retryAfter)
    }
    const error = errorInside(text)
    if (error) {
      const words = withoutSent(error, parameters)
      throw new SourceFailure('bad_answer', `it answered with an error: "${words}"`, !saysWrong(error))
    }
    if (!String(headers['content-type'] ?? '').includes(type)) {
      const words = withoutSent(wordsOf(text.slice(0, 65_536)) ?? '', parameters)
      const said = words ? `: "${words}"` : ''
      throw new SourceFailure('bad_answer', `it did not answer with ${type.toUpperCase()}${said}`)
    }
    return text
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SourceFailure) throw error
    if (controller.signal.aborted) throw new SourceFailure('timeout', 'it took too long to answer', true)
    throw new SourceFailure('unreachable', 'it could not be reached, or its answer broke off', true)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    await release()
  }
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new SourceFailure('bad_answer', 'its answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const AGAIN: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/** Quotes the source and says what to do. */
function failureOf(
  connection: Connection,
  status: number,
  words: string,
  retryAfter: number | undefined,
): SourceFailure {
  const { key, keySetting, forbiddenIsSlow } = connection
  const said = words ? `: "${words}"` : ''
  const slow =
    status === 429 || (status === 403 && (forbiddenIsSlow || retryAfter !== undefined || saysSlowDown(words)))
  const later = retryAfter === undefined ? '' : `; try again in ${Math.ceil(retryAfter / 1000)} s`
  const noKey = keySetting && !key ? `; set ${keySetting}` : ''
  if (slow) {
    const what =
      status === 429
        ? 'it answered 429, too many requests'
        : `it answered with status ${status}, which means slow down`
    return new SourceFailure('rate_limited', `${what}${said}${later || noKey}`, true, retryAfter)
  }
  const again = AGAIN.has(status)
  const code = status >= 500 ? 'server_error' : 'refused'
  const todo = again
    ? later
    : status === 401 || status === 403
      ? noKey || (key ? `; check ${keySetting}` : '')
      : ''
  return new SourceFailure(
    code,
    `it answered with status ${status}${said}${todo}`,
    again,
    again ? retryAfter : undefined,
  )
}
