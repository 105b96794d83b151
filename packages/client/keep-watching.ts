/** Watching as a page wants it: the client's own patience is for servers, a browser hears when its network is back. */
import { isOffline, onNetwork, pauseOrOnline } from './network.ts'

export interface Connecting {
  /** The last event that is known, '' for none. */
  after: string
  signal: AbortSignal
}

/** How soon to look again whether the network is back; the browser says it first. */
const LOOK_MS = 5000

/** What `open` gives after `after`, and, whenever the network has come back, what it gives behind the last event. */
export async function* keepWatching<Event extends { id: string | null }>(
  open: (connecting: Connecting) => AsyncIterable<Event>,
  signal: AbortSignal,
  after = '',
): AsyncGenerator<Event, void, undefined> {
  for (let cursor = after; ; ) {
    signal.throwIfAborted()
    const connection = new AbortController()
    const end = () => connection.abort()
    signal.addEventListener('abort', end)
    const stop = onNetwork('online', end)
    try {
      for await (const event of open({ after: cursor, signal: connection.signal })) {
        cursor = event.id ?? cursor
        yield event
      }
      return
    } catch (error) {
      // Where the token comes from may be out of reach as well.
      if (!connection.signal.aborted && !isOffline()) throw error
      if (!connection.signal.aborted) await pauseOrOnline(LOOK_MS, signal)
    } finally {
      signal.removeEventListener('abort', end)
      stop()
      // Whoever stops reading wants no more of it.
      end()
    }
  }
}
