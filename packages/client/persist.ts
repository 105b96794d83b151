/** Repeats a request that changes nothing until there is an answer: a lost network is not the end of a page. */
import { isPassing } from './http.ts'
import { isOffline, pauseOrOnline } from './network.ts'
import { StagecastError } from './stagecast-error.ts'

const PAUSE_MS = 1500

/** Rejects with what cannot pass by itself (4xx but 408 and 429), or when `signal` is aborted. */
export async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      // Without a network, whatever the caller's own functions throw (where the token comes from) has to wait too.
      if (signal.aborted || !(isPassing(error) || isOffline())) throw error
      await pauseOrOnline(
        (error instanceof StagecastError && (error.retryAfter ?? 0) * 1000) || PAUSE_MS,
        signal,
      )
      signal.throwIfAborted()
    }
  }
}
