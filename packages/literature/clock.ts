/** Time and chance, handed in so that tests need not wait for either. */
import { setTimeout as pause } from 'node:timers/promises'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** 0 up to 1. */
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
