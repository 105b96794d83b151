/** Reports whether a browser has a network. Elsewhere the network counts as available. */

const page = globalThis as {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** Calls `listener` when the network goes or comes back. Returns a function that unsubscribes. */
export function onNetwork(type: 'online' | 'offline', listener: () => void): () => void {
  page.addEventListener?.(type, listener)
  return () => page.removeEventListener?.(type, listener)
}

export function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false
}

/** Resolves after `ms`, when the network comes back, or when `signal` is aborted. */
export function pauseOrOnline(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      stop()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const stop = onNetwork('online', end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
