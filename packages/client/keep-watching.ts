/** Watches like the client does, and also uses what a browser knows: when its network goes and returns. */
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
    // End the connection: after a network change, a browser may keep one open that no longer carries data.
    const stops = [onNetwork('online', end), onNetwork('offline', () => onTransport('waiting'))]
    try {
      for await (const event of open({ after: cursor, signal: connection.signal, onTransport })) {
        cursor = event.id ?? cursor
        yield event
      }
      return
    } catch (error) {
      // While offline, the function that supplies the token may fail too.
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
