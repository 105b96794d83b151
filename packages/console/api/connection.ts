/** Whether the API is reachable, judged by the requests so far and by what the browser knows about the network. */
import { Store } from '../state/store.ts'

/** `offline`: the browser has no network. `unreachable`: it has one, but the last request got no answer. */
export type Connection = 'online' | 'offline' | 'unreachable'

export const connection = new Store<Connection>(navigator.onLine ? 'online' : 'offline')

addEventListener('offline', () => connection.set('offline'))
addEventListener('online', () => connection.set('online'))

/** `fetch` that notes whether there was an answer at all. */
export const observedFetch: typeof fetch = async (input, init) => {
  try {
    const answer = await fetch(input, init)
    connection.set('online')
    return answer
  } catch (error) {
    const aborted = error instanceof DOMException && error.name === 'AbortError'
    if (!aborted) connection.set(navigator.onLine ? 'unreachable' : 'offline')
    throw error
  }
}
