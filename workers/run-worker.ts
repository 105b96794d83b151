/** Takes jobs from the queue that advances runs: each names a run to advance. */
import { type Job, type JobsOptions, Worker } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { JournalKeys } from '../journal/journal.ts'
import { openJournal } from '../journal/reader.ts'
import { logOncePerSecond } from '../journal/redis.ts'
import { RunEngine } from '../runs/engine.ts'
import { type AdvanceData, RUN_QUEUE_NAME, RunQueue } from '../runs/queue.ts'
import { RunStore } from '../runs/store.ts'

export interface RunWorkerOptions {
  redis: Redis
  prefix: string
  keys: JournalKeys
  lockMs: number
  stalledCheckMs: number
  resultTtlSeconds: number
  workflowTtlSeconds: number
  /** Options for the jobs of a stage. */
  jobOptions(stage: number): JobsOptions
  /** Removes a finished job from its queue, if possible. */
  discard(jobId: string): Promise<void>
  log: FastifyBaseLogger
}

/** Advancing a run takes a few calls to Redis and waits for nothing else. */
const CONCURRENCY = 16
const SOONEST_MS = 200
const LATEST_MS = 30_000

export function startRunWorker(options: RunWorkerOptions): { close(): Promise<void> } {
  const { redis, prefix, keys, log, jobOptions, discard } = options
  const journal = openJournal({ ...options, fromRedis: (command) => command })
  const warn = logOncePerSecond((err: Error) => log.warn({ err }, 'run worker error'))
  const queue = new RunQueue({ redis, prefix, keys, journal, jobOptions, onError: warn })
  const store = new RunStore(redis, keys, options.workflowTtlSeconds)
  const engine = new RunEngine({ store, queue, journal, discard })
  const worker = new Worker<AdvanceData>(RUN_QUEUE_NAME, goOn, {
    connection: redis,
    prefix,
    concurrency: CONCURRENCY,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    runRetryDelay: 1000,
    settings: { backoffStrategy: (made = 1) => Math.min(LATEST_MS, SOONEST_MS * 2 ** Math.min(made, 20)) },
  })
  worker.on('error', warn)
  worker.on('failed', (job, err) =>
    log.warn({ err, runId: job?.data.run_id }, 'could not advance a run; it is retried'),
  )
  return {
    async close() {
      await Promise.all([worker.close(), queue.close()])
    },
  }

  async function goOn({ id = '', data }: Job<AdvanceData>): Promise<void> {
    await engine.goOn(data, queue.key(id), { removed: data.job_id })
  }
}
