/** Repeats a read-only request until it is answered, so that a page survives a lost network. */
import { isPassing } from './http.ts'
import { isOffline, pauseOrOnline } from './network.ts'
import { StagecastError } from './stagecast-error.ts'

const PAUSE_MS = 1500

/** Rejects with an error that a retry cannot fix (4xx except 408 and 429), or when `signal` is aborted. */
export async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      // While offline, errors of the caller's own functions, such as fetching the token, are retried too.
      if (signal.aborted || !(isPassing(error) || isOffline())) throw error
      await pauseOrOnline(
        (error instanceof StagecastError && (error.retryAfter ?? 0) * 1000) || PAUSE_MS,
        signal,
      )
      signal.throwIfAborted()
    }
  }
}
