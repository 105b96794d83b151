/** What can run in a process: the API, the worker. Each is opened from the configuration and closed by its door. */
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { openAdmin, openWorkerAdmin } from './admin.ts'
import { buildApp } from './app.ts'
import { type Config, ConfigError } from './config.ts'
import type { Running } from './door.ts'
import { createLogger, VERSION } from './logger.ts'
import { redisMisfit } from './redis.ts'
import { NO_TRACING, type Tracing } from './tracing.ts'
import { buildHealthApp } from './workers/health.ts'
import { workerMetrics } from './workers/metrics.ts'
import { type StageWorkerOptions, startStageWorker } from './workers/stage-worker.ts'

/** The part of what is left of the grace that traces may take: a collector that says nothing must not use it up. */
const TRACES_SHARE = 0.5

/** Compiled, the console lies beside this file; from sources it is bundled when somebody first asks for it. */
async function consoleFiles(): Promise<string> {
  if (!import.meta.url.endsWith('.ts')) return join(import.meta.dirname, 'console')
  const { consoleOfWorkingCopy } = await import('./embedded/bundle-console.mjs')
  return consoleOfWorkingCopy()
}

/** The API, listening, and its admin listener. */
export async function openApi(config: Config): Promise<Running & { url: string }> {
  await refuseMisfit(config)
  const log = createLogger(config.LOG_LEVEL, 'api')
  const tracing = await openTracing(config, 'stagecast-api', log)
  const app = await buildApp(config, log, { consoleFiles, tracing })
  const url = await app.listen({ host: config.HOST, port: config.PORT })
  const admin = await openAdmin(config, log, app)
  return {
    url,
    log,
    graceMs: config.SHUTDOWN_GRACE_MS,
    async close() {
      const left = countDown(config.SHUTDOWN_GRACE_MS)
      await Promise.all([admin?.close(), app.close()])
      await tracing.close(left() * TRACES_SHARE)
    },
  }
}

/** A worker taking jobs, with its health listener; alone in its process it has an admin listener too. */
export async function openWorker(config: Config, { alone = true } = {}): Promise<Running> {
  await refuseMisfit(config)
  const log = createLogger(config.LOG_LEVEL, 'worker')
  const tracing = await openTracing(config, 'stagecast-worker', log)
  // Listening first: a start that fails must not have taken a job.
  let fault = (): string | null => 'it is starting'
  const health = buildHealthApp(() => fault(), log)
  await health.listen({ host: config.HOST, port: config.WORKER_HEALTH_PORT })
  const worker = startStageWorker({ ...workerOptions(config), log, tracing })
  fault = worker.fault
  const admin = alone ? await openWorkerAdmin(config, log, workerMetrics(worker)) : null
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
    redisUrl: config.REDIS_URL,
    prefix: config.REDIS_PREFIX,
    serviceUrl: config.WORKER_URL,
    concurrency: config.STAGE_WORKER_CONCURRENCY,
    lockMs: config.WORKER_LOCK_MS,
    stalledCheckMs: config.WORKER_STALLED_CHECK_MS,
    stageTimeoutMs: config.STAGE_TIMEOUT_MS,
    silenceMs: config.STAGE_HEARTBEAT_TIMEOUT_MS,
    maxResultBytes: config.STAGE_MAX_RESULT_BYTES,
    resultTtlSeconds: config.RESULT_TTL_SECONDS,
    breakerFailures: config.BREAKER_FAILURES,
    breakerResetMs: config.BREAKER_RESET_MS,
  }
}
