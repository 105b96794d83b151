/** Time and randomness, injected so that tests need not wait. */
import { setTimeout as pause } from 'node:timers/promises'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** From 0 up to, but not including, 1. */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  async sleep(ms, signal) {
    signal?.throwIfAborted()
    await pause(ms, undefined, signal && { signal }).catch((error) => {
      throw signal?.reason ?? error
    })
  },
}
