/** One connection to a stream of events, or one page of it: what `watch` goes on with until it is over. */
import type { JobEvent } from '../stages/job.ts'
import type { Http } from './http.ts'
import { readFrames } from './sse.ts'
import type { Watched } from './types.ts'

/** The server sends its first bytes at once: whoever gets none for so long, in ms, sits behind something that keeps them. */
export const FIRST_BYTES_MS = 5000
/** The server says something every 15 s at least. */
const SILENCE_MS = 40_000
/** How long the server may hold a page back until it has news, in s. */
const PAGE_WAIT_SECONDS = 25
/** How much longer than that an answer may take, in ms. */
const PAGE_SPARE_MS = 10_000

/** Nothing came in time: something between here and the server keeps it to itself. */
export class Swallowed extends Error {}

/** The server says that the caller has seen the end. */
export class Finished extends Error {}

export interface Place {
  http: Http
  /** Path of the events route. */
  path: string
  /** The last event that is known, '' for none. */
  cursor: string
  signal: AbortSignal | undefined
}

export interface StreamNews {
  /** The first bytes are here. */
  onOpen(): void
  /** The time in ms that the server wants between two connections. */
  onRetry(ms: number): void
}

/** The events of one connection, until the server ends it. */
export async function* stream<State>(place: Place, news: StreamNews): AsyncGenerator<Watched<State>> {
  const connection = linked(place.signal)
  try {
    const headers = { accept: 'text/event-stream' }
    const asked = place.http.request(at(place), { headers, signal: connection.signal })
    const answer = await within(FIRST_BYTES_MS, asked)
    if (answer.status === 204) throw new Finished()
    if (!answer.body || !answer.headers.get('content-type')?.startsWith('text/event-stream'))
      throw new Swallowed()
    for await (const { id, event, data } of readFrames(pieces(answer.body, news.onOpen), news.onRetry))
      yield { id, event, data: JSON.parse(data) } as Watched<State>
  } finally {
    connection.end()
  }
}

interface Page<State> {
  events: JobEvent[]
  cursor: string
  gap?: State
  /** No event can follow. */
  finished?: boolean
}

/** One page, for which the server waits until there are news. */
export async function* page<State>(place: Place): AsyncGenerator<Watched<State>> {
  const connection = linked(place.signal)
  try {
    const headers = { accept: 'application/json' }
    const path = `${at(place)}${place.cursor ? '&' : '?'}wait=${PAGE_WAIT_SECONDS}`
    const asked = place.http.json<Page<State>>(path, { headers, signal: connection.signal })
    const { events, cursor, gap, finished } = await within(1000 * PAGE_WAIT_SECONDS + PAGE_SPARE_MS, asked)
    if (gap) yield { id: cursor, event: 'gap', data: gap }
    yield* events
    if (finished) throw new Finished()
  } finally {
    connection.end()
  }
}

/** A signal that follows `outer`, which outlives it. */
function linked(outer: AbortSignal | undefined): { signal: AbortSignal; end(): void } {
  const inner = new AbortController()
  const follow = () => inner.abort(outer?.reason)
  outer?.addEventListener('abort', follow)
  if (outer?.aborted) follow()
  return {
    signal: inner.signal,
    end() {
      outer?.removeEventListener('abort', follow)
      inner.abort()
    },
  }
}

function at({ path, cursor }: Place): string {
  return cursor ? `${path}?after=${encodeURIComponent(cursor)}` : path
}

/** The body as it arrives. What is not asked for does not count as silence. */
async function* pieces(body: ReadableStream<Uint8Array>, onOpen: () => void): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let limit = FIRST_BYTES_MS
  for (;;) {
    const { value, done } = await within(limit, reader.read())
    if (done) return
    if (limit === FIRST_BYTES_MS) onOpen()
    limit = SILENCE_MS
    yield value
  }
}

/** Throws `Swallowed` when nothing came of it in time. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
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
