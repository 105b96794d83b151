/**
 * Watches a job or a workflow over any number of connections. Each one resumes after the last event that was yielded, so no
 * event is missed or repeated.
 */
import { Finished, type Place, page, Silent, stream } from './connection.ts'
import { Late } from './freshness.ts'
import { ConnectionError, type Http, isPassing, pause, Swallowed } from './http.ts'
import { PATIENCE } from './patience.ts'
import { StagecastError } from './stagecast-error.ts'
import type { Transport, Watched, WatchOptions } from './types.ts'

/** The API has no room for another stream, so fall back to pages. */
const NO_ROOM: ReadonlySet<string> = new Set(['TOO_MANY_STREAMS', 'STREAMS_FULL'])
/** If a proxy cuts long polls off, the wait is shortened, but not below this. */
const SHORTEST_WAIT_MS = 1000
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** `endless`: keep watching after a terminal event, as for a workflow. */
export async function* watch<State, Gone>(
  http: Http,
  path: string,
  { after = '', signal, onTransport, events }: WatchOptions,
  { endless = false, patience = PATIENCE } = {},
): AsyncGenerator<Watched<State, Gone>, void, undefined> {
  let cursor = after
  let url: string | undefined
  let renewed = false
  let told: Transport | undefined
  let retryMs = patience.backoff
  let failures = 0
  let silences = 0
  let pollUntil = 0
  let pollingMs = patience.polling
  let pageWait = patience.pageWait
  let wasLate = false

  for (;;) {
    signal?.throwIfAborted()
    const polls = Date.now() < pollUntil
    const askedAt = Date.now()
    const from = cursor
    try {
      url ??= typeof events === 'function' ? await events() : (events ?? path)
      const byTicket = events !== undefined
      const place: Place = {
        http,
        events: url,
        byTicket,
        cursor,
        signal,
        patience: { ...patience, pageWait },
      }
      for await (const event of polls
        ? page<State, Gone>(place, { onRead })
        : stream<State, Gone>(place, news())) {
        if (polls) reached('polling')
        if (event.id !== null) cursor = event.id
        yield event
        if (event.event === 'gone' || (!endless && TERMINAL.has(event.event))) return
      }
      const waited = Date.now() - askedAt
      if (!polls) await pause(retryMs, signal)
      else if (cursor === from && waited < patience.emptyPage)
        await pause(patience.emptyPage - waited, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof Finished) return
      await recover(error, polls, Date.now() - askedAt)
    }
  }

  function news() {
    return {
      onOpen() {
        reached('sse')
        if (!wasLate) pollingMs = patience.polling
      },
      onLive() {
        wasLate = false
        pollingMs = patience.polling
      },
      onRetry(ms: number) {
        retryMs = ms
      },
    }
  }

  /** A page's cursor may be ahead of its last event, because a job that disappeared leaves only positions. */
  function onRead(end: string): void {
    reached('polling')
    if (end !== '') cursor = end
  }

  function reached(transport: Transport): void {
    failures = 0
    renewed = false
    tell(transport)
  }

  function tell(transport: Transport): void {
    if (told === transport) return
    told = transport
    onTransport?.(transport)
  }

  /** Returns when it is time to retry; throws an error that a retry cannot fix. */
  async function recover(error: unknown, polls: boolean, waited: number): Promise<void> {
    const { code = '', status, retryAfter } = error instanceof StagecastError ? error : {}
    // The ticket has expired, and `events` can supply a new one.
    if (status === 401 && typeof events === 'function' && !renewed) {
      renewed = true
      url = undefined
      return
    }
    // A proxy ended the request before the server would have answered.
    const isCut = status === 504 || (error instanceof ConnectionError && waited > pageWait / 2)
    if (polls && isCut && pageWait > SHORTEST_WAIT_MS) {
      pageWait = Math.max(SHORTEST_WAIT_MS, pageWait / 2)
      return
    }
    const isSilent = error instanceof Silent
    if (isSilent) silences += 1
    // The network may cause one silence. A second one means that a proxy passes only the start of a stream on.
    const isLate = error instanceof Late
    if (isLate) wasLate = true
    if (!polls && (isLate || error instanceof Swallowed || silences > 1 || NO_ROOM.has(code))) {
      silences = 0
      pollUntil = Date.now() + (retryAfter ? retryAfter * 1000 : pollingMs)
      pollingMs = Math.min(2 * pollingMs, patience.longestPolling)
      return
    }
    // If the API has answered before, another page is in its place for now, such as a hotel's sign-in page.
    const isElsewhere = status === 200 && told !== undefined
    if (!isSilent && !(error instanceof Swallowed) && !isElsewhere && !isPassing(error)) throw error
    tell('waiting')
    const longest = Math.max(patience.longestBackoff, retryMs)
    const backoff = Math.min(retryMs * 2 ** failures, longest)
    failures += 1
    // Add jitter, so that clients that lost the same server do not all return at once.
    await pause(retryAfter ? retryAfter * 1000 : backoff * (0.5 + Math.random() / 2), signal)
  }
}
