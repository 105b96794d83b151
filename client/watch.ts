/**
 * Watches a job or a workflow over as many connections as it takes. The place in the order of events is the only thing
 * it remembers: it goes on behind the last event it gave, so that none is missed and none comes twice.
 */
import { Finished, type Place, page, Swallowed, stream } from './connection.ts'
import type { Http } from './http.ts'
import { isPassing, pause } from './http.ts'
import type { StagecastError } from './stagecast-error.ts'
import type { Transport, Watched, WatchOptions } from './types.ts'

/** Between two tries without a word of the server, in ms: doubled each time, up to the longest. */
const BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 15_000
/** For how long it polls before it tries a stream again, in ms: doubled each time, up to the longest. */
const POLLING_MS = 60_000
const LONGEST_POLLING_MS = 600_000
/** Between two empty pages, in ms, where nothing on the way lets the server wait for news. */
const EMPTY_PAGE_MS = 1000

/** The API has no room for another stream: a page will do. */
const NO_ROOM: ReadonlySet<string> = new Set(['TOO_MANY_STREAMS', 'STREAMS_FULL'])
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** `endless`: what follows a terminal event is watched too, as in a workflow. */
export async function* watch<State>(
  http: Http,
  path: string,
  { after = '', signal, onTransport }: WatchOptions,
  { endless = false } = {},
): AsyncGenerator<Watched<State>, void, undefined> {
  let cursor = after
  let told: Transport | undefined
  let retryMs = BACKOFF_MS
  let failures = 0
  let pollUntil = 0
  let pollingMs = POLLING_MS

  for (;;) {
    const polls = Date.now() < pollUntil
    const place: Place = { http, path, cursor, signal }
    const askedAt = Date.now()
    let empty = true
    try {
      for await (const event of polls ? page<State>(place) : stream<State>(place, news())) {
        if (polls) reached('polling')
        empty = false
        if (event.id !== null) cursor = event.id
        yield event
        if (event.event === 'gone' || (!endless && TERMINAL.has(event.event))) return
      }
      if (polls) reached('polling')
      const waited = Date.now() - askedAt
      if (!polls) await pause(retryMs, signal)
      else if (empty && waited < EMPTY_PAGE_MS) await pause(EMPTY_PAGE_MS - waited, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof Finished) return
      await recover(error as Error, polls)
    }
  }

  function news() {
    return {
      onOpen: () => {
        reached('sse')
        pollingMs = POLLING_MS
      },
      onRetry: (ms: number) => {
        retryMs = ms
      },
    }
  }

  function reached(transport: Transport): void {
    failures = 0
    tell(transport)
  }

  function tell(transport: Transport): void {
    if (told !== transport) onTransport?.(transport)
    told = transport
  }

  /** Returns when it is time for the next try; throws what no other try can change. */
  async function recover(error: Error, polls: boolean): Promise<void> {
    const { code = '', retryAfter } = error as Partial<StagecastError>
    const swallowed = error instanceof Swallowed
    if (!polls && (swallowed || NO_ROOM.has(code))) {
      pollUntil = Date.now() + (retryAfter ? retryAfter * 1000 : pollingMs)
      pollingMs = Math.min(2 * pollingMs, LONGEST_POLLING_MS)
      return
    }
    if (!swallowed && !isPassing(error)) throw error
    tell('waiting')
    const backoff = Math.min(BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS)
    failures += 1
    // Spread, so that those who lost the same server do not come back as one.
    await pause(retryAfter ? retryAfter * 1000 : backoff * (0.5 + Math.random() / 2), signal)
  }
}
