/**
 * Assembles the API. The order of `register` is the architecture: what a plugin needs stands above it. Nothing here
 * reads the environment or listens.
 */
import accepts from '@fastify/accepts'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { HelmetOptions } from 'helmet'
import { Stage } from './contract/catalogue.ts'
import { Problem } from './contract/errors.ts'
import { Hint, JobSnapshot, JobSummary } from './contract/job.ts'
import { JobEvent, WorkflowEvent } from './contract/job-event.ts'
import { NO_TRACING, type Tracing } from './contract/tracing.ts'
import artifacts from './plugins/artifacts.ts'
import auth from './plugins/auth.ts'
import consolePages from './plugins/console.ts'
import cors, { corsHeaders } from './plugins/cors.ts'
import docs from './plugins/docs.ts'
import drain from './plugins/drain.ts'
import errors, { answerBrokenRequest, handleError } from './plugins/errors.ts'
import fleet from './plugins/fleet.ts'
import hints from './plugins/hints.ts'
import jobs from './plugins/jobs.ts'
import journal from './plugins/journal.ts'
import jsonBody from './plugins/json-body.ts'
import limits from './plugins/limits.ts'
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
import statusRoutes from './routes/status.ts'
import ticketRoutes from './routes/tickets.ts'
import workflowEventRoutes from './routes/workflow-events.ts'
import type { Config } from './server/config.ts'

/** Largest request body in bytes: a question and a stage's options are far below it. */
const BODY_LIMIT = 262_144
/** How long a client may take to send a whole request, in ms. */
const REQUEST_TIMEOUT_MS = 30_000

/** The part of the grace in which answers under way may end. */
const BUSY_SHARE = 0.7

export interface AppParts {
  /** Tells where the console's pages lie; without it none are served. */
  consoleFiles?: () => Promise<string>
  tracing?: Tracing
  /** As the OpenAPI document shows it. */
  version?: string
}

/** Builds the API, ready to `listen` or to be given requests with `inject`. */
export async function buildApp(
  config: Config,
  logger: FastifyBaseLogger,
  { consoleFiles, tracing: traces = NO_TRACING, version = '0.0.0' }: AppParts = {},
): Promise<FastifyInstance> {
  // Two kinds of error come before any hook runs.
  const headersFor = corsHeaders(config.corsOrigins)
  const app = Fastify({
    loggerInstance: logger,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Closing waits for the answers under way, then cuts what is left: see the end of this list.
    forceCloseConnections: true,
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, headersFor),
    http: { requireHostHeader: false },
    frameworkErrors(error, request, reply) {
      reply.headers(headersFor(request.headers.origin))
      handleError(error, request, reply as never)
    },
    routerOptions: { maxParamLength: 1024 },
  }).withTypeProvider<TypeBoxTypeProvider>()
  for (const schema of [Problem, Stage, JobSnapshot, JobSummary, JobEvent, WorkflowEvent, Hint])
    app.addSchema(schema)

  await app.register(drain)
  await app.register(errors)
  await app.register(validation)
  await app.register(jsonBody)
  await app.register(securityHeaders, SECURITY)
  await app.register(accepts)
  await app.register(cors, { origins: config.corsOrigins })
  await app.register(docs, { version })
  if (consoleFiles) await app.register(consolePages, { files: consoleFiles })

  await app.register(tracing, { tracing: traces })
  const production = config.NODE_ENV !== 'development' && config.NODE_ENV !== 'test'
  await app.register(redis, { url: config.REDIS_URL, prefix: config.REDIS_PREFIX, strict: production })
  await app.register(journal, { prefix: config.REDIS_PREFIX, resultTtlSeconds: config.RESULT_TTL_SECONDS })
  await app.register(queue, {
    prefix: config.REDIS_PREFIX,
    attempts: config.STAGE_JOB_ATTEMPTS,
    backoffMs: config.STAGE_JOB_BACKOFF_MS,
    keepCompleted: config.STAGE_KEEP_COMPLETED,
    keepFailed: config.STAGE_KEEP_FAILED,
  })
  await app.register(jobs)
  await app.register(fleet)
  await app.register(tail, { url: config.REDIS_URL, prefix: config.REDIS_PREFIX })
  await app.register(progress)
  await app.register(workflows)
  await app.register(hints)
  await app.register(streams, {
    heartbeatMs: config.SSE_HEARTBEAT_MS,
    maxConnections: config.SSE_MAX_CONNECTIONS,
    maxPerUser: config.SSE_MAX_PER_USER,
    maxPerJob: config.SSE_MAX_PER_JOB,
  })
  await app.register(metrics)
  await app.register(auth, {
    secret: config.JWT_SECRET,
    publicKey: config.JWT_PUBLIC_KEY,
    jwksUrl: config.JWT_JWKS_URL,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    mock: config.ALLOW_MOCK_AUTH,
  })
  await app.register(tickets, { ttlSeconds: config.TICKET_TTL_SECONDS })
  await app.register(limits, { perMinute: config.RATE_LIMIT_PER_MINUTE })
  await app.register(artifacts, { url: config.WORKER_URL })

  await app.register(healthRoutes)
  await app.register(catalogueRoutes)
  await app.register(executeRoutes)
  await app.register(jobListRoutes)
  await app.register(statusRoutes)
  await app.register(eventRoutes)
  await app.register(workflowEventRoutes)
  await app.register(cancelRoutes)
  await app.register(artifactRoutes)
  await app.register(ticketRoutes)

  const guards = [app.authenticate, app.requireAdmin, app.throttle]
  await app.register(overviewRoutes, { guards })
  await app.register(metricsRoutes, { guards })
  await app.register(boardRoutes, { guards })

  app.addHook('preClose', () => app.drained(config.SHUTDOWN_GRACE_MS * BUSY_SHARE))
  return app as unknown as FastifyInstance
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
