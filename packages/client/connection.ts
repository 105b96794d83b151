/** One connection to an event stream, or one page of events. `watch` uses one after another until the end. */
import type { JobEvent } from '../../contract/job-event.ts'
import { Freshness, Late } from './freshness.ts'
import { connected, type Http, Swallowed, within } from './http.ts'
import type { Patience } from './patience.ts'
import { readFrames } from './sse.ts'
import type { Watched } from './types.ts'

/** The server says that the caller has already seen the end. */
export class Finished extends Error {}

/** The stream began and was then silent for longer than the server ever is. */
export class Silent extends Error {}

export interface Place {
  http: Http
  /** Path or URL of the events. */
  events: string
  /** Whether `events` carries a ticket instead of the token. */
  byTicket: boolean
  /** The ID of the last known event, '' for none. */
  cursor: string
  signal: AbortSignal | undefined
  patience: Patience
}

export interface StreamNews {
  /** Called when the first bytes arrive. */
  onOpen(): void
  /** Called when events arrive as they happen. */
  onLive(): void
  /** How long the server wants clients to wait before reconnecting, in ms. */
  onRetry(ms: number): void
}

export interface PageNews {
  /** Called when the whole page was delivered; the next one is requested after `cursor`. */
  onRead(cursor: string): void
}

/** A chunk that takes at least this long to arrive, in ms, was not waiting in a buffer. */
const IN_WAITING_MS = 50

/** The Accept header of an EventSource. If the server has no room for a stream, a client with a token gets an error status. */
const STREAM = 'text/event-stream'
const STREAM_BY_TICKET = `${STREAM}, */*;q=0.1`

/** The events of one connection until the server closes it. */
export async function* stream<State, Gone>(
  place: Place,
  news: StreamNews,
): AsyncGenerator<Watched<State, Gone>> {
  const { http, patience, byTicket } = place
  const { signal, end } = linked(place.signal)
  try {
    const answer = await http.request(withQuery(place), {
      headers: { accept: byTicket ? STREAM_BY_TICKET : STREAM },
      anonymous: byTicket,
      signal,
      within: patience.firstBytes,
    })
    if (answer.status === 204) throw new Finished()
    if (!answer.body || !answer.headers.get('content-type')?.startsWith(STREAM)) throw new Swallowed()
    const freshness = new Freshness(Date.now(), patience.late)
    const arriving = pieces(answer.body, patience, news, freshness, signal)
    for await (const { id, event, data } of readFrames(arriving, news.onRetry)) {
      // More events follow on another connection; this one is cut off next.
      if (event === 'reconnect') return
      const told = { id, event, data: JSON.parse(data) } as Watched<State, Gone>
      const { at } = told.data as { at?: unknown }
      if (typeof at === 'number') freshness.add(at)
      yield told
    }
  } finally {
    end()
  }
}

interface Page<State> {
  events: JobEvent[]
  cursor: string
  gap?: State
  /** Whether no further event can follow. */
  finished?: boolean
}

/** One page. The server holds the request until there is news. */
export async function* page<State, Gone>(place: Place, news: PageNews): AsyncGenerator<Watched<State, Gone>> {
  const { http, patience, byTicket: anonymous } = place
  const { signal, end } = linked(place.signal)
  try {
    const headers = { accept: 'application/json' }
    const path = withQuery(place, `wait=${patience.pageWait / 1000}`)
    const limit = patience.pageWait + patience.pageSpare
    const asked = http.json<Page<State>>(path, { headers, signal, anonymous, within: limit })
    const { events, cursor, gap, finished } = await within(2 * limit, asked)
    if (gap) yield { id: cursor, event: 'gap', data: gap }
    yield* events
    if (finished) throw new Finished()
    news.onRead(cursor)
  } finally {
    end()
  }
}

/** A signal that follows `outer` and can be released before it. */
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

function withQuery({ events, cursor }: Place, ...more: string[]): string {
  const query = [...(cursor ? [`after=${encodeURIComponent(cursor)}`] : []), ...more].join('&')
  return query ? `${events}${events.includes('?') ? '&' : '?'}${query}` : events
}

/** The chunks of the body. Only time spent waiting for one counts as silence. */
async function* pieces(
  body: ReadableStream<Uint8Array>,
  patience: Patience,
  news: StreamNews,
  freshness: Freshness,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  for (let open = false; ; open = true) {
    const verdict = freshness.judge()
    if (verdict === 'late') throw new Late()
    if (verdict === 'live') news.onLive()
    const askedAt = Date.now()
    const reading = within(open ? patience.silence : patience.firstBytes, reader.read())
    const { value, done } = await reading.catch((error) => {
      if (!(error instanceof Swallowed)) return connected(Promise.reject(error), signal)
      throw open ? new Silent() : error
    })
    if (done) return
    if (!open) news.onOpen()
    // A chunk that was there at once had been waiting in a buffer.
    freshness.arrived(Date.now(), Date.now() - askedAt >= IN_WAITING_MS)
    yield value
  }
}
