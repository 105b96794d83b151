/** State of all processes together: counts, live workers, queue. Read at most once a second. */
import fp from 'fastify-plugin'
import { strangersTo, type WorkerState } from '../contract/fleet.ts'
import { readTally, type StageTally } from '../journal/tally.ts'
import { digestOf, readWorkers } from '../journal/workers.ts'
import { type RunTally, readRunTally } from '../runs/tally.ts'
import type { QueueDepth } from './queue.ts'

export interface Fleet {
  /** When the state was read, epoch ms. */
  at: number
  queue: QueueDepth
  /** Names of the paused queues. */
  paused: readonly string[]
  /** Live workers, ordered by id. */
  workers: WorkerState[]
  /** Digest of the stages that this process knows. */
  catalogue: string
  /** Every stage of the catalogue; 0 is for manually queued jobs without a valid stage. */
  tallies: StageTally[]
  runs: RunTally
}

declare module './core.ts' {
  interface Stagecast {
    fleet: {
      /** The state, at most `FRESH_MS` old. Throws 503 while Redis is unavailable. */
      read(): Promise<Fleet>
      /** The next `read` asks Redis again, because something just changed. */
      expire(): void
    }
  }
}

const FRESH_MS = 1000
/** How often a process checks the workers even if no request reads the state. */
const LOOK_EVERY_MS = 30_000

export default fp(
  async (app) => {
    const { redis, journal, queue, pauses } = app.stagecast
    const catalogue = digestOf(app.stagecast.catalogue)
    let latest: { at: number; fleet: Promise<Fleet> } | undefined
    let warnedOf: ReadonlySet<string> = new Set()

    app.stagecast.fleet = {
      read() {
        const now = performance.now()
        if (latest && now - latest.at < FRESH_MS) return latest.fleet
        const reading = { at: now, fleet: app.stagecast.fromRedis(readFleet()) }
        latest = reading
        // Only callers that wait for this reading see its failure; the next call reads again.
        reading.fleet.catch(() => {
          if (latest === reading) latest = undefined
        })
        return reading.fleet
      },
      expire() {
        latest = undefined
      },
    }

    const looking = setInterval(() => void app.stagecast.fleet.read().catch(() => {}), LOOK_EVERY_MS).unref()
    app.addHook('preClose', async () => clearInterval(looking))

    /** Warns once about each worker. Jobs of stages that both catalogues contain still run, so this process stays ready. */
    function warnOfStrangers(workers: readonly WorkerState[]): void {
      const ids = strangersTo(catalogue, workers).map(({ id }) => id)
      for (const worker of ids)
        if (!warnedOf.has(worker))
          app.log.warn({ worker }, 'a worker has a different catalogue from this process')
      warnedOf = new Set(ids)
    }

    async function readFleet(): Promise<Fleet> {
      // Without this check BullMQ would wait until Redis is back.
      if (redis.status !== 'ready') throw new Error('Redis is not connected')
      const { tally, workers } = journal.keys
      const [depth, counts, announced, [seconds], runs, paused] = await Promise.all([
        queue.depth(),
        redis.hgetall(tally),
        redis.hgetall(workers),
        redis.time(),
        readRunTally(redis, journal.keys),
        pauses.look(),
      ])
      const live = readWorkers(announced, Number(seconds) * 1000)
      warnOfStrangers(live)
      return {
        at: Date.now(),
        queue: depth,
        paused,
        workers: live,
        catalogue,
        tallies: [0, ...app.stagecast.catalogue.stages.map(({ stage }) => stage)].map((stage) =>
          readTally(counts, stage),
        ),
        runs,
      }
    }
  },
  { name: 'fleet', dependencies: ['catalogue', 'queue', 'journal', 'pauses'] },
)
