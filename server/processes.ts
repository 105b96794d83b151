/** Opens an API or a worker from the configuration. The entry point closes what it opened. */
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

/** Share of the remaining grace period for traces: a silent collector must not use all of it. */
const TRACES_SHARE = 0.5

type Registry = FastifyInstance['stagecast']['metricsRegistry']
type WorkerSeen = Pick<StageWorker, 'ready' | 'state' | 'reconnects' | 'paused'>

/** A build contains the console; a working copy bundles it on the first request. */
async function bundledConsole(): Promise<string> {
  const { consoleOfWorkingCopy } = await import('../packages/console/bundle.mjs')
  return consoleOfWorkingCopy()
}

/** Starts the API and its admin listener. */
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
 * Starts a worker with its health and admin listeners. `beside` is the metrics registry of an API in the same process, which
 * then also exports the worker's metrics; there is only one admin listener.
 */
export async function openWorker(config: Config, { beside }: { beside?: Registry } = {}): Promise<Running> {
  await refuseMisfit(config)
  const log = createLogger(config.LOG_LEVEL, 'worker')
  const tracing = await openTracing(config, 'stagecast-worker', log)
  // Listen first: if that fails, the process must not have taken a job.
  let seen = starting(config)
  const health = buildHealthApp({ fault: () => seen.ready(), paused: () => seen.paused(), log })
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

/** What the listeners report before the worker exists. */
function starting({ STAGE_WORKER_CONCURRENCY: concurrency }: Config): WorkerSeen {
  return {
    ready: async () => 'it is starting',
    state: () => ({ concurrency, running: 0, circuit: 'closed', circuits: [], catalogue: null }),
    reconnects: () => ({ jobs: 0, cancels: 0 }),
    paused: () => [],
  }
}

/** Returns a function that reports how much is left of `ms`. */
function countDown(ms: number): () => number {
  const end = performance.now() + ms
  return () => Math.max(0, end - performance.now())
}

/** Checks whether the configuration fits this Redis; skipped while Redis is unavailable. */
async function refuseMisfit({ REDIS_URL: url, redisTls: tls, REDIS_PREFIX }: Config): Promise<void> {
  const misfit = await redisMisfit({ url, tls }, REDIS_PREFIX)
  if (misfit) throw new ConfigError([misfit])
}

/** Loads OpenTelemetry only if it is configured. */
async function openTracing({ tracing }: Config, name: string, log: FastifyBaseLogger): Promise<Tracing> {
  if (!tracing) return NO_TRACING
  const { startTracing } = await import('./tracing-sdk.ts')
  return startTracing(tracing, { name, version: VERSION }, (message) =>
    log.warn({ fault: message }, 'cannot send traces'),
  )
}

/** The worker's part of the configuration. */
export function workerOptions(config: Config): Omit<StageWorkerOptions, 'log' | 'tracing'> {
  return {
    source: { url: config.REDIS_URL, tls: config.redisTls },
    prefix: config.REDIS_PREFIX,
    catalogue: config.catalogue,
    concurrency: config.STAGE_WORKER_CONCURRENCY,
    lockMs: config.WORKER_LOCK_MS,
    stalledCheckMs: config.WORKER_STALLED_CHECK_MS,
    stageTimeoutMs: config.STAGE_TIMEOUT_MS,
    silenceMs: config.STAGE_HEARTBEAT_TIMEOUT_MS,
    maxResultBytes: config.STAGE_MAX_RESULT_BYTES,
    resultTtlSeconds: config.RESULT_TTL_SECONDS,
    workflowTtlSeconds: config.WORKFLOW_TTL_SECONDS,
    jobs: {
      attempts: config.STAGE_JOB_ATTEMPTS,
      backoffMs: config.STAGE_JOB_BACKOFF_MS,
    },
    keepCompleted: config.STAGE_KEEP_COMPLETED,
    keepFailed: config.STAGE_KEEP_FAILED,
    breakerFailures: config.BREAKER_FAILURES,
    breakerResetMs: config.BREAKER_RESET_MS,
    proxy: config.proxy,
    logServiceErrors: config.LOG_SERVICE_ERRORS,
  }
}
