/** The standalone application: Stagecast at the root of its own server, which also answers malformed requests. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import cors, { corsHeaders } from '../plugins/cors.ts'
import { handleError } from '../plugins/errors.ts'
import stagecast, { type StagecastOptions } from '../stagecast.ts'
import type { Config } from './config.ts'
import rawAnswers, { answerBrokenRequest } from './raw-answers.ts'
import requestIds, { requestId } from './request-id.ts'

/** How long a client may take to send a whole request, in ms. */
const REQUEST_TIMEOUT_MS = 30_000
/** Share of the grace period for responses in progress. */
const BUSY_SHARE = 0.7

/** Options that do not come from the configuration. */
export type AppParts = Pick<StagecastOptions, 'consoleFiles' | 'tracing' | 'version'>

/** Builds the API, ready for `listen` or `inject`. */
export async function buildApp(
  config: Config,
  logger: FastifyBaseLogger,
  parts: AppParts = {},
): Promise<FastifyInstance> {
  // Two kinds of error occur before any hook runs.
  const headersFor = corsHeaders(config.corsOrigins)
  const app = Fastify({
    loggerInstance: logger,
    // Addresses in the log, and whether the client used TLS.
    trustProxy: config.trustProxy as boolean | string[],
    genReqId: requestId,
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Closing waits for responses in progress, then closes the remaining connections.
    forceCloseConnections: true,
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, headersFor),
    http: { requireHostHeader: false },
    frameworkErrors(error, request, reply) {
      reply.headers(headersFor(request.headers.origin))
      handleError(error, request, reply as never)
    },
    routerOptions: { maxParamLength: 1024 },
  }) as unknown as FastifyInstance
  await app.register(requestIds)
  await app.register(rawAnswers)
  await app.register(cors, { origins: config.corsOrigins })
  // Registered at the root, so that it also answers unknown paths and the admin listener can use it.
  await app.register(
    fp((root: FastifyInstance, options: StagecastOptions) => stagecast(root, options), { name: 'stagecast' }),
    { ...stagecastOptions(config), ...parts, catchAll: true },
  )
  return app
}

/** The API's part of the configuration. */
function stagecastOptions(config: Config): StagecastOptions {
  return {
    redisUrl: config.REDIS_URL,
    redisTls: config.redisTls,
    redisPrefix: config.REDIS_PREFIX,
    requireNoEviction: config.NODE_ENV !== 'development' && config.NODE_ENV !== 'test',
    catalogue: config.catalogue,
    artifactRedirectHosts: config.ARTIFACT_REDIRECT_HOSTS?.split(','),
    proxy: config.proxy,
    trustProxy: config.trustProxy,
    jwt: {
      secret: config.JWT_SECRET,
      publicKey: config.JWT_PUBLIC_KEY,
      jwksUrl: config.JWT_JWKS_URL,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      mock: config.ALLOW_MOCK_AUTH,
    },
    attempts: config.STAGE_JOB_ATTEMPTS,
    backoffMs: config.STAGE_JOB_BACKOFF_MS,
    resultTtlSeconds: config.RESULT_TTL_SECONDS,
    workflowTtlSeconds: config.WORKFLOW_TTL_SECONDS,
    signOffScope: config.SIGN_OFF_SCOPE,
    ticketTtlSeconds: config.TICKET_TTL_SECONDS,
    queueId: config.QUEUE_ID,
    maxWaitingPerUser: config.MAX_WAITING_PER_USER,
    requestsPerMinute: config.RATE_LIMIT_PER_MINUTE,
    longPollSeconds: config.LONG_POLL_MAX_SECONDS,
    heartbeatMs: config.SSE_HEARTBEAT_MS,
    streamSeconds: config.SSE_LIFETIME_SECONDS,
    maxStreams: config.SSE_MAX_CONNECTIONS,
    maxStreamsPerUser: config.SSE_MAX_PER_USER,
    maxStreamsPerJob: config.SSE_MAX_PER_JOB,
    drainMs: config.SHUTDOWN_GRACE_MS * BUSY_SHARE,
  }
}
