/**
 * Watches a job or a workflow over as many connections as it takes. The place in the order of events is the only thing
 * it remembers: it goes on behind the last event it gave, so that none is missed and none comes twice.
 */
import { Finished, type Place, page, Silent, stream } from './connection.ts'
import { Late } from './freshness.ts'
import { ConnectionError, type Http, isPassing, pause, Swallowed } from './http.ts'
import { PATIENCE } from './patience.ts'
import { StagecastError } from './stagecast-error.ts'
import type { Transport, Watched, WatchOptions } from './types.ts'

/** The API has no room for another stream: a page will do. */
const NO_ROOM: ReadonlySet<string> = new Set(['TOO_MANY_STREAMS', 'STREAMS_FULL'])
/** Pages are held back for less where a proxy cuts them off, but not for less than this. */
const SHORTEST_WAIT_MS = 1000
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** `endless`: what follows a terminal event is watched too, as in a workflow. */
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

  /** A page may be further on than its last event: of a job that has vanished, only the place is left. */
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

  /** Returns when it is time for the next try; throws what no other try can change. */
  async function recover(error: unknown, polls: boolean, waited: number): Promise<void> {
    const { code = '', status, retryAfter } = error instanceof StagecastError ? error : {}
    // The ticket has ended, and there is somebody who makes new ones.
    if (status === 401 && typeof events === 'function' && !renewed) {
      renewed = true
      url = undefined
      return
    }
    // A proxy has less patience than the page needs.
    const isCut = status === 504 || (error instanceof ConnectionError && waited > pageWait / 2)
    if (polls && isCut && pageWait > SHORTEST_WAIT_MS) {
      pageWait = Math.max(SHORTEST_WAIT_MS, pageWait / 2)
      return
    }
    const isSilent = error instanceof Silent
    if (isSilent) silences += 1
    // A network may fall silent once; what does so again lets the beginning of a stream pass, and keeps the rest.
    const isLate = error instanceof Late
    if (isLate) wasLate = true
    if (!polls && (isLate || error instanceof Swallowed || silences > 1 || NO_ROOM.has(code))) {
      silences = 0
      pollUntil = Date.now() + (retryAfter ? retryAfter * 1000 : pollingMs)
      pollingMs = Math.min(2 * pollingMs, patience.longestPolling)
      return
    }
    // What once was the API, and answers with the page of a hotel now, will be the API again.
    const isElsewhere = status === 200 && told !== undefined
    if (!isSilent && !(error instanceof Swallowed) && !isElsewhere && !isPassing(error)) throw error
    tell('waiting')
    const longest = Math.max(patience.longestBackoff, retryMs)
    const backoff = Math.min(retryMs * 2 ** failures, longest)
    failures += 1
    // Spread, so that those who lost the same server do not come back as one.
    await pause(retryAfter ? retryAfter * 1000 : backoff * (0.5 + Math.random() / 2), signal)
  }
}
