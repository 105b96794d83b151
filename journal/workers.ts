/** Registration of worker processes in Redis. */
import type { Catalogue } from '../contract/catalogue.ts'
import type { WorkerState } from '../contract/fleet.ts'
import { digest } from './ids.ts'
import { loadScript } from './scripts.ts'

/** Interval at which a worker reports, in ms. */
export const ANNOUNCE_EVERY_MS = 2000
/** Silence after which a worker counts as dead, in ms. */
export const DEAD_AFTER_MS = 3 * ANNOUNCE_EVERY_MS

/** Stores the state of a worker, as JSON without `seen_at`. */
export const announceWorker = loadScript<null>('announce-worker', { DEAD_AFTER_MS })

/** A digest of the stages. It leaves services out, because each process may reach them at another address. */
export function digestOf({ stages }: Catalogue): string {
  return digest(JSON.stringify(stages))
}

/** Reads the live workers from the hash, ordered by id; `now` is Redis's time in ms. */
export function readWorkers(hash: Readonly<Record<string, string>>, now: number): WorkerState[] {
  const workers = Object.entries(hash).map(([id, value]): WorkerState => {
    const blank = value.indexOf(' ')
    // A worker of an earlier release reports neither circuits by stage nor its catalogue.
    return {
      id,
      circuits: [],
      catalogue: null,
      ...JSON.parse(value.slice(blank + 1)),
      seen_at: Number(value.slice(0, blank)),
    }
  })
  return workers
    .filter(({ seen_at }) => now - seen_at <= DEAD_AFTER_MS)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}
