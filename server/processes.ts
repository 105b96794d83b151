/** What can run in a process: the API, the worker. Each is opened from the configuration and closed by its door. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { NO_TRACING, type Tracing } from '../contract/tracing.ts'
import { redisMisfit } from '../journal/redis.ts'
import { builtConsole } from '../plugins/console.ts'
import { VERSION } from '../plugins/docs.ts'
import { buildHealthApp } from '../workers/health.ts'
import { addWorkerMetrics, workerMetrics } from '../workers/metrics.ts'
import { type StageWorker, type StageWorkerOptions, startStageWorker } from '../workers/stage-worker.ts'
import { openAdmin, openWorkerAdmin } from './admin.ts'
import { buildApp } from './app.ts'
import { type Config, ConfigError } from './config.ts'
import type { Running } from './door.ts'
import { createLogger } from './logger.ts'

/** The part of what is left of the grace that traces may take: a collector that says nothing must not use it up. */
const TRACES_SHARE = 0.5

type Registry = FastifyInstance['stagecast']['metricsRegistry']
type WorkerSeen = Pick<StageWorker, 'ready' | 'state' | 'reconnects'>

/** A build brings the console's pages; in a working copy they are bundled when somebody first asks for them. */
async function bundledConsole(): Promise<string> {
  const { consoleOfWorkingCopy } = await import('../packages/console/bundle.mjs')
  return consoleOfWorkingCopy()
}

/** The API, listening, and its admin listener. */
export async function openApi(config: Config): Promise<Running & { url: string; metrics: Registry }> {
  await refuseMisfit(config)
  const log = createLogger(config.LOG_LEVEL, 'api')
  const tracing = await openTracing(config, 'stagecast-api', log)
  const app = await buildApp(config, log, { consoleFiles: builtConsole() ?? bundledConsole, tracing })
  const url = await app.listen({ host: config.HOST, port: config.PORT })
  const admin = await openAdmin(config, log, app)
  return {
    url,
    metrics: app.stagecast.metricsRegistry,
    log,
    graceMs: config.SHUTDOWN_GRACE_MS,
    async close() {
      const left = countDown(config.SHUTDOWN_GRACE_MS)
      await Promise.all([admin?.close(), app.close()])
      await tracing.close(left() * TRACES_SHARE)
    },
  }
}

/**
 * A worker taking jobs, with its health listener and an admin listener. `beside` are the metrics of an API in the same
 * process: it tells the worker's too, and there is one admin listener.
 */
export async function openWorker(config: Config, { beside }: { beside?: Registry } = {}): Promise<Running> {
  await refuseMisfit(config)
  const log = createLogger(config.LOG_LEVEL, 'worker')
  const tracing = await openTracing(config, 'stagecast-worker', log)
  // Listening first: a start that fails must not have taken a job.
  let seen = starting(config)
  const health = buildHealthApp(() => seen.ready(), log)
  await health.listen({ host: config.HOST, port: config.WORKER_HEALTH_PORT })
  const look = () => seen
  if (beside) addWorkerMetrics(beside, look)
  const admin = beside ? null : await openWorkerAdmin(config, log, workerMetrics(look))
  const worker = startStageWorker({ ...workerOptions(config), log, tracing })
  seen = worker
  return {
    log,
    graceMs: config.SHUTDOWN_GRACE_MS,
    async close() {
      const left = countDown(config.SHUTDOWN_GRACE_MS)
      await worker.close(config.SHUTDOWN_GRACE_MS)
      await Promise.all([health.close(), admin?.close(), tracing.close(left() * TRACES_SHARE)])
    },
  }
}

/** What the listeners of a worker tell before there is one. */
function starting({ STAGE_WORKER_CONCURRENCY: concurrency }: Config): WorkerSeen {
  return {
    ready: async () => 'it is starting',
    state: () => ({ concurrency, running: 0, circuit: 'closed', circuits: [] }),
    reconnects: () => ({ jobs: 0, cancels: 0 }),
  }
}

/** Tells how much is left of `ms`, counted from now. */
function countDown(ms: number): () => number {
  const end = performance.now() + ms
  return () => Math.max(0, end - performance.now())
}

/** What only Redis can tell about the configuration; nothing while it is away. */
async function refuseMisfit({ REDIS_URL, REDIS_PREFIX }: Config): Promise<void> {
  const misfit = await redisMisfit(REDIS_URL, REDIS_PREFIX)
  if (misfit) throw new ConfigError([misfit])
}

/** Nothing of OpenTelemetry is loaded unless it is asked for. */
async function openTracing({ tracing }: Config, name: string, log: FastifyBaseLogger): Promise<Tracing> {
  if (!tracing) return NO_TRACING
  const { startTracing } = await import('./tracing-sdk.ts')
  return startTracing(tracing, { name, version: VERSION }, (message) =>
    log.warn({ fault: message }, 'traces cannot be sent'),
  )
}

/** The worker's slice of the configuration. */
export function workerOptions(config: Config): Omit<StageWorkerOptions, 'log' | 'tracing'> {
  return {
    source: config.REDIS_URL,
    prefix: config.REDIS_PREFIX,
    catalogue: config.catalogue,
    concurrency: config.STAGE_WORKER_CONCURRENCY,
    lockMs: config.WORKER_LOCK_MS,
    stalledCheckMs: config.WORKER_STALLED_CHECK_MS,
    stageTimeoutMs: config.STAGE_TIMEOUT_MS,
    silenceMs: config.STAGE_HEARTBEAT_TIMEOUT_MS,
    maxResultBytes: config.STAGE_MAX_RESULT_BYTES,
    resultTtlSeconds: config.RESULT_TTL_SECONDS,
    breakerFailures: config.BREAKER_FAILURES,
    breakerResetMs: config.BREAKER_RESET_MS,
    logServiceErrors: config.LOG_SERVICE_ERRORS,
  }
}
