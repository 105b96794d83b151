/** A clock that moves only when code sleeps, so that tests see waits without waiting. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

export interface FakeClock extends Clock {
  /** Every wait so far, in ms. */
  waits: number[]
  advance(ms: number): void
}

export function fakeClock(start = Date.parse('2026-01-01T00:00:00Z')): FakeClock {
  let now = start
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    random: () => 1,
    advance: (ms) => {
      now += ms
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      if (ms > 0) waits.push(ms)
      const until = now + ms
      await turn()
      // With concurrent sleepers, the time is that of the latest one.
      now = Math.max(now, until)
      signal?.throwIfAborted()
    },
  }
}
