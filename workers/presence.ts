/** Makes a worker process known to those who ask who is at work: see `journal/workers.ts`. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Redis } from 'ioredis'
import type { WorkerState } from '../contract/fleet.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { ANNOUNCE_EVERY_MS, announceWorker } from '../journal/workers.ts'

/** What a worker tells of itself. */
export type WorkerPresence = Omit<WorkerState, 'id' | 'seen_at'>

export interface Presence {
  /** Tells the state now; otherwise it is told every `ANNOUNCE_EVERY_MS`. */
  tell(): void
  /** Takes the worker off the list. Never rejects; with Redis away it may never settle. */
  leave(): Promise<void>
}

/** Nothing here is waited for or can fail a job: while Redis is away, nobody is told anything. */
export function startPresence(redis: Redis, keys: JournalKeys, state: () => WorkerPresence): Presence {
  const id = `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`
  let under: Promise<unknown> | undefined
  const tell = (): void => {
    // This connection keeps what it cannot send: one announcement at a time.
    if (under || redis.status !== 'ready') return
    under = announceWorker
      .run(redis, { workers: keys.workers, id, state: JSON.stringify(state()) })
      .catch(() => {})
      .finally(() => {
        under = undefined
      })
  }
  const timer = setInterval(tell, ANNOUNCE_EVERY_MS).unref()
  redis.on('ready', tell)
  tell()
  return {
    tell,
    async leave() {
      clearInterval(timer)
      redis.off('ready', tell)
      await under
      await redis.hdel(keys.workers, id).catch(() => {})
    },
  }
}
