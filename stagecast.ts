/**
 * Stagecast as a Fastify plugin. The order of `register` is the architecture: a plugin is registered after those it
 * needs. The plugin does not read the environment or listen on a port. It adds to the host application only the routes
 * under its prefix and the name `stagecast`.
 */
import accepts from '@fastify/accepts'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { HelmetOptions } from 'helmet'
import { pino } from 'pino'
import type { Registry } from 'prom-client'
import { type Catalogue, type CatalogueOptions, openCatalogue } from './contract/catalogue.ts'
import type { CatalogueFile } from './contract/catalogue-file.ts'
import { NO_TRACING, type Tracing } from './contract/tracing.ts'
import type { JobSettings } from './journal/add-jobs.ts'
import type { RedisLike, RedisSource, RedisTls } from './journal/redis.ts'
import type { ProxySettings } from './outgoing/outgoing.ts'
import access from './plugins/access.ts'
import artifacts from './plugins/artifacts.ts'
import auth, { type Authenticate } from './plugins/auth.ts'
import base, { type TrustProxy } from './plugins/base.ts'
import bearer, { type BearerOptions } from './plugins/bearer.ts'
import catalogue from './plugins/catalogue.ts'
import consolePages, { builtConsole } from './plugins/console.ts'
import core from './plugins/core.ts'
import deletion from './plugins/deletion.ts'
import docs from './plugins/docs.ts'
import drain from './plugins/drain.ts'
import errors from './plugins/errors.ts'
import estimates from './plugins/estimates.ts'
import fleet from './plugins/fleet.ts'
import hints from './plugins/hints.ts'
import history from './plugins/history.ts'
import jobs from './plugins/jobs.ts'
import journal from './plugins/journal.ts'
import jsonBody from './plugins/json-body.ts'
import limits from './plugins/limits.ts'
import longPoll from './plugins/long-poll.ts'
import metrics from './plugins/metrics.ts'
import outgoing from './plugins/outgoing.ts'
import pauses from './plugins/pauses.ts'
import progress from './plugins/progress.ts'
import queue from './plugins/queue.ts'
import redis from './plugins/redis.ts'
import runAccess from './plugins/run-access.ts'
import runs from './plugins/runs.ts'
import securityHeaders from './plugins/security-headers.ts'
import streams from './plugins/streams.ts'
import tail from './plugins/tail.ts'
import tickets from './plugins/tickets.ts'
import tracing from './plugins/tracing.ts'
import validation from './plugins/validation.ts'
import workflows from './plugins/workflows.ts'
import boardRoutes from './routes/admin/board.ts'
import historyRoutes from './routes/admin/history.ts'
import metricsRoutes from './routes/admin/metrics.ts'
import overviewRoutes from './routes/admin/overview.ts'
import queueRoutes from './routes/admin/queue.ts'
import artifactRoutes from './routes/artifacts.ts'
import cancelRoutes from './routes/cancel.ts'
import catalogueRoutes from './routes/catalogue.ts'
import deleteRoutes from './routes/delete.ts'
import eventRoutes from './routes/events.ts'
import executeRoutes from './routes/execute.ts'
import healthRoutes from './routes/health.ts'
import jobListRoutes from './routes/jobs.ts'
import meRoutes from './routes/me.ts'
import retryRoutes from './routes/retry.ts'
import runListRoutes from './routes/run-lists.ts'
import runRoutes from './routes/runs.ts'
import signOffRoutes from './routes/sign-offs.ts'
import statusRoutes from './routes/status.ts'
import ticketRoutes from './routes/tickets.ts'
import workflowEventRoutes from './routes/workflow-events.ts'
import { startStageWorker as startWorker } from './workers/stage-worker.ts'

/** Queue and stage services. API and workers must agree on these options. */
interface Connected {
  /** redis://, rediss:// or unix://. For a Redis Cluster, one or more nodes, comma-separated. */
  redisUrl?: string | undefined
  /** Alternatively, an ioredis instance. Its address and credentials are copied; the instance is neither used nor closed. */
  redis?: RedisLike | undefined
  /** Certificates in PEM form for a rediss:// address: trusted authorities, and this client's certificate and key. */
  redisTls?: RedisTls | undefined
  /** Prefix of all keys; registrations with different prefixes share nothing. Default `bull`. */
  redisPrefix?: string | undefined
  /** Stage services by name, in addition to those of the catalogue; `default` runs stages that do not name a service. */
  services?: CatalogueOptions['services'] | undefined
  /** The content of a STAGES_FILE, or the result of `openCatalogue(…)`. Default: the 20 built-in stages. */
  catalogue?: CatalogueFile | Catalogue | undefined
  /** Forward proxies for calls to stage services, files and the key set. The environment is not read. Default none. */
  proxy?: ProxySettings | undefined
}

/** Options of the API. They are plain values; those with a default are optional. */
export interface StagecastOptions extends Connected {
  /** Whether to reject a Redis that may evict jobs. Default true. */
  requireNoEviction?: boolean | undefined
  /** Hosts to which a service may redirect for a file, besides its own. Default none. */
  artifactRedirectHosts?: readonly string[] | undefined

  /** Identifies the caller; null or a thrown error is a 401. Set either this or `jwt`. */
  authenticate?: Authenticate | undefined
  /** Callers send bearer tokens. `mock` accepts requests without a token, for development on loopback only. */
  jwt?: (BearerOptions & { mock?: boolean | undefined }) | undefined

  /** Attempts per job, and the delay before the second one; it doubles each time. Default 3 and 5000. */
  attempts?: number | undefined
  backoffMs?: number | undefined
  /** Distinguishes this deployment from others that share its stage services. */
  queueId?: string | undefined
  /** Maximum queued jobs per user; 0 = no limit. Default 0. */
  maxWaitingPerUser?: number | undefined
  /** How long the state and result of a finished job stay readable. Default: a day. */
  resultTtlSeconds?: number | undefined
  /** The same for workflow runs and the results of their jobs. Default 30 days. */
  workflowTtlSeconds?: number | undefined
  /** The scope that a caller needs to sign off a step. Default: the owner of a run signs off. */
  signOffScope?: string | undefined
  /** Default: an hour. */
  ticketTtlSeconds?: number | undefined
  /** Maximum requests per minute and user; 0 = no limit. Default 600. */
  requestsPerMinute?: number | undefined
  /** Maximum wait of a long poll. Default 30. */
  longPollSeconds?: number | undefined
  /** Interval of keep-alive comments in an event stream. Default 15000. */
  heartbeatMs?: number | undefined
  /** Maximum lifetime of an event stream; its client then reconnects. 0 = no limit. Default 600. */
  streamSeconds?: number | undefined
  /** Maximum open event streams: per process, per user, per job; 0 = no limit. Default 20000, 200 and 0. */
  maxStreams?: number | undefined
  maxStreamsPerUser?: number | undefined
  maxStreamsPerJob?: number | undefined
  /** How long `close()` waits for responses in progress. Default 7000. */
  drainMs?: number | undefined

  /** Proxies whose `X-Forwarded-Prefix` is trusted. Default none. */
  trustProxy?: TrustProxy | undefined
  /** Whether to show our routes in the host's OpenAPI document too. Default false: they have their own document. */
  openapi?: boolean | undefined
  /** Registry for our metrics. Default: a separate one that includes the process metrics. */
  registry?: Registry | undefined
  tracing?: Tracing | undefined
  /** Folder of the built console; null for no console. Default: the console of this package. */
  consoleFiles?: (() => Promise<string>) | null | undefined
  /** Version in the OpenAPI document. Default: the version of this package. */
  version?: string | undefined
  /** Whether to answer unknown paths and methods too. Default: only below a prefix. */
  catchAll?: boolean | undefined
}

/** Options of a worker. Options that must match the API's have the same name. */
export interface StageWorkerOptions extends Connected {
  /** Jobs to run at the same time. Default 2. */
  concurrency?: number | undefined
  /** How long a lock lasts without renewal, and how often to look for lost jobs. Default 30000 and 15000. */
  lockMs?: number | undefined
  stalledCheckMs?: number | undefined
  /** Maximum duration of a stage call, and maximum silence during it. Default 1800000 and 60000. */
  stageTimeoutMs?: number | undefined
  silenceMs?: number | undefined
  /** Default 1048576. */
  maxResultBytes?: number | undefined
  /** Default: a day. */
  resultTtlSeconds?: number | undefined
  /** The same for workflow runs and the results of their jobs. Default 30 days. */
  workflowTtlSeconds?: number | undefined
  /** Attempts and back-off of the steps of runs. Set them as for the API. */
  attempts?: number | undefined
  backoffMs?: number | undefined
  /** Finished jobs to keep in the queue. Default 100 and 50. */
  keepCompleted?: number | undefined
  keepFailed?: number | undefined
  /** Consecutive failures that open the circuit of a stage, and how long it stays open. Default 5 and 30000. */
  breakerFailures?: number | undefined
  breakerResetMs?: number | undefined
  /** Whether to log the stage service's error messages, which may contain anything. Default false. */
  logServiceErrors?: boolean | undefined
  /** Default: JSON lines on standard output at level `info`. */
  log?: FastifyBaseLogger | undefined
  tracing?: Tracing | undefined
}

export interface StageWorker {
  /** Why the worker cannot take jobs right now; null if it can. */
  fault(): string | null
  /** Stops taking jobs, gives running ones 70 % of the time to finish, then hands the rest over. Default 10000. */
  close(graceMs?: number): Promise<void>
}

/** Starts a worker that takes jobs from the queue, calls the stage service and records the results, until it is closed. */
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
    workflowTtlSeconds: options.workflowTtlSeconds ?? WORKFLOW_TTL_SECONDS,
    jobs: jobSettings(options),
    keepCompleted: options.keepCompleted ?? 100,
    keepFailed: options.keepFailed ?? 50,
    breakerFailures: options.breakerFailures ?? 5,
    breakerResetMs: options.breakerResetMs ?? 30_000,
    proxy: options.proxy ?? {},
    logServiceErrors: options.logServiceErrors ?? false,
    log: options.log ?? pino({ name: 'stagecast-worker' }),
    tracing: options.tracing ?? NO_TRACING,
  })
  return { fault: () => worker.fault(), close: (graceMs = 10_000) => worker.close(graceMs) }
}

/** Registers Stagecast's API in `app`. */
export default async function stagecast(app: FastifyInstance, options: StagecastOptions): Promise<void> {
  const { redisPrefix: prefix = 'bull', jwt = {} } = options
  const source = sourceOf(options)
  if (!options.authenticate && !options.jwt)
    throw new TypeError(
      'stagecast: set authenticate(request), or jwt with a key; otherwise every request would be rejected',
    )

  await app.register(core)
  await app.register(base, { trustProxy: options.trustProxy ?? false })
  await app.register(drain)
  await app.register(errors, { catchAll: options.catchAll ?? app.prefix !== '' })
  await app.register(validation)
  await app.register(jsonBody)
  await app.register(accepts)
  await app.register(securityHeaders, SECURITY)
  await app.register(outgoing, { proxy: options.proxy ?? {} })
  await app.register(catalogue, { catalogue: catalogueOf(options) })
  await app.register(docs, { version: options.version, shared: options.openapi ?? false })
  const pages = options.consoleFiles === undefined ? builtConsole() : options.consoleFiles
  if (pages) await app.register(consolePages, { files: pages })

  await app.register(tracing, { tracing: options.tracing ?? NO_TRACING })
  await app.register(redis, { source, prefix, strict: options.requireNoEviction ?? true })
  const resultTtlSeconds = options.resultTtlSeconds ?? 86_400
  const workflowTtlSeconds = options.workflowTtlSeconds ?? WORKFLOW_TTL_SECONDS
  await app.register(journal, { prefix, resultTtlSeconds, workflowTtlSeconds })
  await app.register(queue, {
    prefix,
    ...jobSettings(options),
    resultTtlSeconds,
    queueId: options.queueId ?? '',
    maxWaiting: options.maxWaitingPerUser ?? 0,
  })
  await app.register(pauses, { prefix })
  await app.register(jobs)
  await app.register(estimates)
  await app.register(fleet)
  await app.register(history)
  await app.register(tail, { source, prefix })
  await app.register(progress)
  await app.register(workflows)
  await app.register(runs, {
    prefix,
    workflowTtlSeconds,
    queueId: options.queueId ?? '',
    jobs: jobSettings(options),
    maxWaiting: options.maxWaitingPerUser ?? 0,
  })
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
  await app.register(runAccess, { signOffScope: options.signOffScope })
  await app.register(tickets, { ttlSeconds: options.ticketTtlSeconds ?? 3600 })
  await app.register(limits, { perMinute: options.requestsPerMinute ?? 600 })
  await app.register(artifacts, { redirectHosts: options.artifactRedirectHosts })
  await app.register(deletion, { resultTtlSeconds })

  await app.register(healthRoutes)
  await app.register(catalogueRoutes)
  await app.register(meRoutes)
  await app.register(executeRoutes)
  await app.register(jobListRoutes)
  await app.register(statusRoutes)
  await app.register(eventRoutes)
  await app.register(workflowEventRoutes)
  await app.register(cancelRoutes)
  await app.register(runRoutes)
  await app.register(runListRoutes)
  await app.register(signOffRoutes)
  await app.register(retryRoutes)
  await app.register(deleteRoutes)
  await app.register(artifactRoutes)
  await app.register(ticketRoutes)

  const guards = [app.stagecast.authenticate, app.stagecast.requireAdmin, app.stagecast.throttle]
  await app.register(overviewRoutes, { guards })
  await app.register(historyRoutes, { guards })
  await app.register(queueRoutes, { guards })
  await app.register(metricsRoutes, { guards })
  await app.register(boardRoutes, { guards })

  app.addHook('preClose', () => app.stagecast.drained(options.drainMs ?? 7000))
}

const WORKFLOW_TTL_SECONDS = 2_592_000

function jobSettings(options: Partial<Record<keyof JobSettings, number | undefined>>): JobSettings {
  const { attempts = 3, backoffMs = 5000 } = options
  return { attempts, backoffMs }
}

function sourceOf({ redisUrl, redis, redisTls }: Connected): RedisSource {
  if (redisTls && !redisUrl?.startsWith('rediss://'))
    throw new TypeError('stagecast: redisTls is for a redisUrl that begins with rediss://')
  const source = redis ?? (redisUrl ? { url: redisUrl, tls: redisTls } : undefined)
  if (!source || (redis && redisUrl))
    throw new TypeError(
      'stagecast: set either redisUrl, e.g. redis://127.0.0.1:6379, or redis, an ioredis instance',
    )
  return source
}

/** Throws `CatalogueError`. */
function catalogueOf({ catalogue: file, services }: Connected): Catalogue {
  return file && 'inputFaults' in file ? file : openCatalogue({ file, ...(services && { services }) })
}

/**
 * The API serves data; its only pages, /docs and /console/, set their own policies. Headers that only matter for pages or
 * for obsolete browsers are omitted: each header costs half a microsecond per response.
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
