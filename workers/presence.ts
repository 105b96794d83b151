/** Announces a worker process to the others: see `journal/workers.ts`. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Redis } from 'ioredis'
import type { WorkerState } from '../contract/fleet.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { ANNOUNCE_EVERY_MS, announceWorker } from '../journal/workers.ts'

/** What a worker reports about itself. */
export type WorkerPresence = Omit<WorkerState, 'id' | 'seen_at'>

export interface Presence {
  /** Announces the state now. It is also announced every `ANNOUNCE_EVERY_MS`. */
  tell(): void
  /** Takes the worker off the list. Never rejects; without Redis it may never settle. */
  leave(): Promise<void>
}

/** Nothing here is awaited or can fail a job. Without Redis nothing is announced. */
export function startPresence(redis: Redis, keys: JournalKeys, state: () => WorkerPresence): Presence {
  const id = `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`
  let under: Promise<unknown> | undefined
  const tell = (): void => {
    // The connection queues what it cannot send, so allow only one announcement at a time.
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
