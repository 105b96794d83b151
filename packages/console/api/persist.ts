/** Repeats a request that changes nothing until there is an answer: a lost network is not the end of a page. */
import { StagecastError } from '../../client/index.ts'

const PAUSE_MS = 1500

/** Rejects with what cannot pass by itself (4xx but 429), or when `signal` is aborted. */
export async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted || !passes(error)) throw error
      await pause((error instanceof StagecastError && (error.retryAfter ?? 0) * 1000) || PAUSE_MS, signal)
    }
  }
}

/** Whether the same request may succeed later. */
function passes(error: unknown): boolean {
  if (error instanceof StagecastError) return error.status >= 500 || error.status === 429
  return error instanceof TypeError
}

/** Ends early when `signal` is aborted, or when the network comes back. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      removeEventListener('online', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    addEventListener('online', end)
  })
}
