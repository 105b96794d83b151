/** Watching for pages. The client's own retries suit servers; a browser also knows when its network returns. */
import { isOffline, onNetwork, pauseOrOnline } from './network.ts'
import type { Transport } from './types.ts'

export interface Connecting {
  /** The ID of the last known event, '' for none. */
  after: string
  signal: AbortSignal
  onTransport: (transport: Transport) => void
}

interface Options {
  /** Start after this event. */
  after?: string | undefined
  onTransport?: ((transport: Transport) => void) | undefined
}

/** How often to check whether the network is back; the browser usually says so sooner. */
const LOOK_MS = 5000

/** Yields what `open` yields, and reopens it after the last event whenever the network comes back. */
export async function* keepWatching<Event extends { id: string | null }>(
  open: (connecting: Connecting) => AsyncIterable<Event>,
  signal: AbortSignal,
  { after = '', onTransport = () => {} }: Options = {},
): AsyncGenerator<Event, void, undefined> {
  for (let cursor = after; ; ) {
    signal.throwIfAborted()
    const connection = new AbortController()
    const end = () => connection.abort()
    signal.addEventListener('abort', end)
    // A browser keeps a connection open that no longer carries anything.
    const stops = [onNetwork('online', end), onNetwork('offline', () => onTransport('waiting'))]
    try {
      for await (const event of open({ after: cursor, signal: connection.signal, onTransport })) {
        cursor = event.id ?? cursor
        yield event
      }
      return
    } catch (error) {
      // The token's source may be unreachable too.
      if (!connection.signal.aborted && !isOffline()) throw error
      if (!connection.signal.aborted) await pauseOrOnline(LOOK_MS, signal)
    } finally {
      signal.removeEventListener('abort', end)
      for (const stop of stops) stop()
      // The reader stopped early.
      end()
    }
  }
}
