/** How worker processes make themselves known in Redis. */
import type { WorkerState } from '../contract/fleet.ts'
import { loadScript } from './scripts.ts'

/** How often a worker says that it lives, in ms. */
export const ANNOUNCE_EVERY_MS = 2000
/** Silence after which it is taken for dead, in ms. */
export const DEAD_AFTER_MS = 3 * ANNOUNCE_EVERY_MS

/** Stores the state of a worker, as JSON without `seen_at`. */
export const announceWorker = loadScript<null>('announce-worker', { DEAD_AFTER_MS })

/** The living out of the hash that `announceWorker` keeps, in the order of their ids; `now` is Redis's time in ms. */
export function readWorkers(hash: Readonly<Record<string, string>>, now: number): WorkerState[] {
  const workers = Object.entries(hash).map(([id, value]): WorkerState => {
    const blank = value.indexOf(' ')
    // A worker of an earlier release tells of no circuits by stage.
    return { id, circuits: [], ...JSON.parse(value.slice(blank + 1)), seen_at: Number(value.slice(0, blank)) }
  })
  return workers
    .filter(({ seen_at }) => now - seen_at <= DEAD_AFTER_MS)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}
