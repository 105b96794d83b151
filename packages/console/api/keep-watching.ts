/** Watching as a page wants it: the client's own patience is for servers, a browser hears when its network is back. */

export interface Connecting {
  /** The last event that is known, '' for none. */
  after: string
  signal: AbortSignal
}

/** What `open` gives, and, whenever the network has come back, what it gives behind the last event. */
export async function* keepWatching<Event extends { id: string | null }>(
  open: (connecting: Connecting) => AsyncIterable<Event>,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  for (let after = ''; ; ) {
    signal.throwIfAborted()
    const connection = new AbortController()
    const end = () => connection.abort()
    signal.addEventListener('abort', end)
    addEventListener('online', end)
    try {
      for await (const event of open({ after, signal: connection.signal })) {
        after = event.id ?? after
        yield event
      }
      return
    } catch (error) {
      if (!connection.signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', end)
      removeEventListener('online', end)
      // Whoever stops reading wants no more of it.
      end()
    }
  }
}
