/**
 * Stagecast as a Fastify plugin. The order of `register` is the architecture: what a plugin needs stands above it.
 * Nothing here reads the environment or listens, and nothing is taken from the application around it but its routes
 * under one prefix and the name `stagecast`.
 */
import accepts from '@fastify/accepts'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { HelmetOptions } from 'helmet'
import { pino } from 'pino'
import type { Registry } from 'prom-client'
import { type Catalogue, type CatalogueOptions, openCatalogue } from './contract/catalogue.ts'
import type { CatalogueFile } from './contract/catalogue-file.ts'
import { NO_TRACING, type Tracing } from './contract/tracing.ts'
import type { RedisLike, RedisSource } from './journal/redis.ts'
import access from './plugins/access.ts'
import artifacts from './plugins/artifacts.ts'
import auth, { type Authenticate } from './plugins/auth.ts'
import base, { type TrustProxy } from './plugins/base.ts'
import bearer, { type BearerOptions } from './plugins/bearer.ts'
import catalogue from './plugins/catalogue.ts'
import consolePages, { builtConsole } from './plugins/console.ts'
import core from './plugins/core.ts'
import docs from './plugins/docs.ts'
import drain from './plugins/drain.ts'
import errors from './plugins/errors.ts'
import fleet from './plugins/fleet.ts'
import hints from './plugins/hints.ts'
import jobs from './plugins/jobs.ts'
import journal from './plugins/journal.ts'
import jsonBody from './plugins/json-body.ts'
import limits from './plugins/limits.ts'
import longPoll from './plugins/long-poll.ts'
import metrics from './plugins/metrics.ts'
import progress from './plugins/progress.ts'
import queue from './plugins/queue.ts'
import redis from './plugins/redis.ts'
import securityHeaders from './plugins/security-headers.ts'
import streams from './plugins/streams.ts'
import tail from './plugins/tail.ts'
import tickets from './plugins/tickets.ts'
import tracing from './plugins/tracing.ts'
import validation from './plugins/validation.ts'
import workflows from './plugins/workflows.ts'
import boardRoutes from './routes/admin/board.ts'
import metricsRoutes from './routes/admin/metrics.ts'
import overviewRoutes from './routes/admin/overview.ts'
import artifactRoutes from './routes/artifacts.ts'
import cancelRoutes from './routes/cancel.ts'
import catalogueRoutes from './routes/catalogue.ts'
import eventRoutes from './routes/events.ts'
import executeRoutes from './routes/execute.ts'
import healthRoutes from './routes/health.ts'
import jobListRoutes from './routes/jobs.ts'
import retryRoutes from './routes/retry.ts'
import statusRoutes from './routes/status.ts'
import ticketRoutes from './routes/tickets.ts'
import workflowEventRoutes from './routes/workflow-events.ts'
import { startStageWorker as startWorker } from './workers/stage-worker.ts'

/** Where the queue is, and who runs the stages: the same for the API and its workers. */
interface Connected {
  /** redis://, rediss:// or unix://; of a Redis Cluster one node or several, with commas between. */
  redisUrl?: string | undefined
  /** Instead: an ioredis instance. Its address and credentials are taken over; it is neither used nor closed. */
  redis?: RedisLike | undefined
  /** Prefix of all keys: two registrations with two prefixes share nothing. Default `bull`. */
  redisPrefix?: string | undefined
  /** The stage services by name, beside those of the catalogue; `default` runs the stages that name none. */
  services?: CatalogueOptions['services'] | undefined
  /** The stages: what a STAGES_FILE holds, or `openCatalogue(…)` of it. Default: the 20 stages. */
  catalogue?: CatalogueFile | Catalogue | undefined
}

/** Plain values. What has a default may be left out. */
export interface StagecastOptions extends Connected {
  /** Refuse a Redis that may evict jobs. Default true. */
  requireNoEviction?: boolean | undefined
  /** Hosts to which a service may redirect for a file, beside its own address. Default none. */
  artifactRedirectHosts?: readonly string[] | undefined

  /** Who calls. Null, or an error thrown, is a 401. Either this or `jwt` is needed. */
  authenticate?: Authenticate | undefined
  /** Callers send bearer tokens. `mock` lets a request without a token in: for development on loopback only. */
  jwt?: (BearerOptions & { mock?: boolean | undefined }) | undefined

  /** Of a job, and the first delay between them, which doubles. Default 3 and 5000. */
  attempts?: number | undefined
  backoffMs?: number | undefined
  /** Finished jobs that the queue keeps. Default 100 and 50. */
  keepCompleted?: number | undefined
  keepFailed?: number | undefined
  /** Sets this deployment apart from others that share its stage services. */
  queueId?: string | undefined
  /** Jobs that a user may have queued; 0 = any number. Default 0. */
  maxWaitingPerUser?: number | undefined
  /** How long the state and result of a finished job can be read. Default a day. */
  resultTtlSeconds?: number | undefined
  /** Default an hour. */
  ticketTtlSeconds?: number | undefined
  /** Per user; 0 = no limit. Default 600. */
  requestsPerMinute?: number | undefined
  /** How long an answer is held back until there is news, at most. Default 30. */
  longPollSeconds?: number | undefined
  /** Longest silence in an event stream. Default 15000. */
  heartbeatMs?: number | undefined
  /** Longest life of an event stream; then its client reconnects. 0 = no limit. Default 600. */
  streamSeconds?: number | undefined
  /** Open event streams; 0 = no cap. Default 20000, 200 and 0. */
  maxStreams?: number | undefined
  maxStreamsPerUser?: number | undefined
  maxStreamsPerJob?: number | undefined
  /** How long `close()` waits for the answers under way, at most. Default 7000. */
  drainMs?: number | undefined

  /** Which proxies may say under which prefix the application is found (`X-Forwarded-Prefix`). Default none. */
  trustProxy?: TrustProxy | undefined
  /** Show our routes in the OpenAPI document of the application around too. Default false: ours has its own. */
  openapi?: boolean | undefined
  /** Where our metrics are registered. Default a registry of our own, with those of the process. */
  registry?: Registry | undefined
  tracing?: Tracing | undefined
  /** Where the pages of the console lie; null for no console. Default: those of this package. */
  consoleFiles?: (() => Promise<string>) | null | undefined
  /** As the OpenAPI document shows it. Default: that of this package. */
  version?: string | undefined
  /** Answer for unknown paths and methods too. Default: if there is a prefix, below it. */
  catchAll?: boolean | undefined
}

/** For a worker. What has a default may be left out; what must agree with the API's has the same name. */
export interface StageWorkerOptions extends Connected {
  /** Jobs at a time. Default 2. */
  concurrency?: number | undefined
  /** How long a job is ours without news, and how often lost jobs are looked for. Default 30000 and 15000. */
  lockMs?: number | undefined
  stalledCheckMs?: number | undefined
  /** How long a stage may take, and be silent meanwhile. Default 1800000 and 60000. */
  stageTimeoutMs?: number | undefined
  silenceMs?: number | undefined
  /** Default 1048576. */
  maxResultBytes?: number | undefined
  /** Default a day. */
  resultTtlSeconds?: number | undefined
  /** Failed calls in a row that open the circuit of a stage, and for how long. Default 5 and 30000. */
  breakerFailures?: number | undefined
  breakerResetMs?: number | undefined
  /** Whether the log tells what the stage service says of a failure, which may be anything. Default false. */
  logServiceErrors?: boolean | undefined
  /** Default: JSON lines on standard output, from `info` on. */
  log?: FastifyBaseLogger | undefined
  tracing?: Tracing | undefined
}

export interface StageWorker {
  /** Why no job can be taken right now, or null. */
  fault(): string | null
  /** Takes no more jobs, lets those under way finish for 70 % of the time, and hands the rest over. Default 10000. */
  close(graceMs?: number): Promise<void>
}

/** Takes jobs from the queue, calls the stage service and records what it says, until it is closed. */
export function startStageWorker(options: StageWorkerOptions): StageWorker {
  const worker = startWorker({
    source: sourceOf(options),
    prefix: options.redisPrefix ?? 'bull',
    catalogue: catalogueOf(options),
    concurrency: options.concurrency ?? 2,
    lockMs: options.lockMs ?? 30_000,
    stalledCheckMs: options.stalledCheckMs ?? 15_000,
    stageTimeoutMs: options.stageTimeoutMs ?? 1_800_000,
    silenceMs: options.silenceMs ?? 60_000,
    maxResultBytes: options.maxResultBytes ?? 1_048_576,
    resultTtlSeconds: options.resultTtlSeconds ?? 86_400,
    breakerFailures: options.breakerFailures ?? 5,
    breakerResetMs: options.breakerResetMs ?? 30_000,
    logServiceErrors: options.logServiceErrors ?? false,
    log: options.log ?? pino({ name: 'stagecast-worker' }),
    tracing: options.tracing ?? NO_TRACING,
  })
  return { fault: () => worker.fault(), close: (graceMs = 10_000) => worker.close(graceMs) }
}

/** Registers the API of Stagecast in `app`. */
export default async function stagecast(app: FastifyInstance, options: StagecastOptions): Promise<void> {
  const { redisPrefix: prefix = 'bull', jwt = {} } = options
  const source = sourceOf(options)
  if (!options.authenticate && !options.jwt)
    throw new TypeError(
      'stagecast: give authenticate(request), or jwt with a key; without it nobody can call',
    )

  await app.register(core)
  await app.register(base, { trustProxy: options.trustProxy ?? false })
  await app.register(drain)
  await app.register(errors, { catchAll: options.catchAll ?? app.prefix !== '' })
  await app.register(validation)
  await app.register(jsonBody)
  await app.register(accepts)
  await app.register(securityHeaders, SECURITY)
  await app.register(catalogue, { catalogue: catalogueOf(options) })
  await app.register(docs, { version: options.version, shared: options.openapi ?? false })
  const pages = options.consoleFiles === undefined ? builtConsole() : options.consoleFiles
  if (pages) await app.register(consolePages, { files: pages })

  await app.register(tracing, { tracing: options.tracing ?? NO_TRACING })
  await app.register(redis, { source, prefix, strict: options.requireNoEviction ?? true })
  const resultTtlSeconds = options.resultTtlSeconds ?? 86_400
  await app.register(journal, { prefix, resultTtlSeconds })
  await app.register(queue, {
    prefix,
    attempts: options.attempts ?? 3,
    backoffMs: options.backoffMs ?? 5000,
    keepCompleted: options.keepCompleted ?? 100,
    keepFailed: options.keepFailed ?? 50,
    queueId: options.queueId ?? '',
    maxWaiting: options.maxWaitingPerUser ?? 0,
  })
  await app.register(jobs)
  await app.register(fleet)
  await app.register(tail, { source, prefix })
  await app.register(progress)
  await app.register(workflows)
  await app.register(hints)
  await app.register(longPoll, { maxSeconds: options.longPollSeconds ?? 30 })
  await app.register(streams, {
    heartbeatMs: options.heartbeatMs ?? 15_000,
    lifetimeMs: (options.streamSeconds ?? 600) * 1000,
    maxConnections: options.maxStreams ?? 20_000,
    maxPerUser: options.maxStreamsPerUser ?? 200,
    maxPerJob: options.maxStreamsPerJob ?? 0,
  })
  await app.register(metrics, { registry: options.registry })
  await app.register(bearer, jwt)
  await app.register(auth, { authenticate: options.authenticate, mock: jwt.mock ?? false })
  await app.register(access)
  await app.register(tickets, { ttlSeconds: options.ticketTtlSeconds ?? 3600 })
  await app.register(limits, { perMinute: options.requestsPerMinute ?? 600 })
  await app.register(artifacts, { redirectHosts: options.artifactRedirectHosts })

  await app.register(healthRoutes)
  await app.register(catalogueRoutes)
  await app.register(executeRoutes)
  await app.register(jobListRoutes)
  await app.register(statusRoutes)
  await app.register(eventRoutes)
  await app.register(workflowEventRoutes)
  await app.register(cancelRoutes)
  await app.register(retryRoutes)
  await app.register(artifactRoutes)
  await app.register(ticketRoutes)

  const guards = [app.stagecast.authenticate, app.stagecast.requireAdmin, app.stagecast.throttle]
  await app.register(overviewRoutes, { guards })
  await app.register(metricsRoutes, { guards })
  await app.register(boardRoutes, { guards })

  app.addHook('preClose', () => app.stagecast.drained(options.drainMs ?? 7000))
}

function sourceOf({ redisUrl, redis }: Connected): RedisSource {
  const source = redis ?? redisUrl
  if (!source || (redis && redisUrl))
    throw new TypeError(
      'stagecast: give either redisUrl, e.g. redis://127.0.0.1:6379, or redis, an ioredis instance',
    )
  return source
}

/** Throws `CatalogueError`. */
function catalogueOf({ catalogue: file, services }: Connected): Catalogue {
  return file && 'inputFaults' in file ? file : openCatalogue({ file, ...(services && { services }) })
}

/**
 * The API serves data; its only pages, those of /docs and /console/, set policies of their own. What means something for
 * a page alone, or for browsers long gone, is left out: each header costs an answer half a microsecond.
 */
const SECURITY: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
}
