/** A stage service in Node: a Fastify app that follows the same contract as a Python service. */
import type { Socket } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyServerOptions, LogController } from 'fastify'
import { artifactRoute } from './artifacts.ts'
import { deleteRoute } from './delete.ts'
import { installDrain } from './drain.ts'
import { errorBody, inside, installErrors, sendError } from './errors.ts'
import { executeRoute } from './execute.ts'
import { createRuns } from './runs.ts'
import { StageFailure, type StageTable } from './stage.ts'
import { openStore } from './store.ts'

export interface StageServiceOptions {
  /** The folder for artifacts and records of finished jobs; created if missing. */
  dataDir: string
  /** Fastify's `logger` setting, or a pino-like logger to write into. Default: no log. */
  logger?: FastifyServerOptions['logger'] | FastifyBaseLogger
  /** Silence in ms before an NDJSON answer gets a heartbeat line. Default 10 s. */
  heartbeatMs?: number
  /** Minimum time between two steps in ms, so that people can watch. Default 0. */
  paceMs?: number
  /** Age in ms at which finished jobs are removed. Default 7 days. */
  keepMs?: number
  /** How often to look for old jobs after the start, in ms. Default one day. */
  sweepEveryMs?: number
  /** How long running work may take to end when the service closes, in ms. Default 5 s. */
  graceMs?: number
  stages: StageTable
  /** Removes old data that the stages themselves have stored; called at the start and every `sweepEveryMs`. */
  sweep?: () => Promise<void>
}

const DAY_MS = 24 * 60 * 60 * 1000
export const GRACE_MS = 5_000

/** Builds the app without listening. Rejects if `dataDir` is unusable. */
export async function buildStageService(options: StageServiceOptions) {
  const { dataDir, stages, logger = false, paceMs = 0, heartbeatMs = 10_000 } = options
  const { keepMs = 7 * DAY_MS, sweepEveryMs = DAY_MS, graceMs = GRACE_MS } = options
  const app = Fastify({
    ...(isLogger(logger) ? { loggerInstance: logger } : { logger }),
    logController: new LogController({ disableRequestLogging: true }),
    // Requests include results of other stages.
    bodyLimit: 32 * 1024 * 1024,
    // Fastify's defaults would turn 7 into "7" and drop unknown fields.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    // Limits only the arrival of the request; the answer may take as long as it needs.
    requestTimeout: 60_000,
    // runs.ts answers 503 while closing, in the contract's shape.
    return503OnClosing: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: sendError,
    clientErrorHandler,
  }).withTypeProvider<TypeBoxTypeProvider>()
  installErrors(app)

  const store = await openStore(dataDir)
  const sweep = async () => {
    const swept = await store.sweep(keepMs)
    if (swept > 0) app.log.info({ swept }, 'removed old jobs from the data folder')
    await options.sweep?.()
  }
  await sweep()
  const sweeping = setInterval(
    () => void sweep().catch((error) => app.log.warn(inside(error), 'could not remove old jobs')),
    sweepEveryMs,
  ).unref()
  app.addHook('onClose', async () => clearInterval(sweeping))
  const runs = createRuns({ store, stages, log: app.log, paceMs })
  installDrain(app, () => runs.close(graceMs))

  await app.register(executeRoute, { runs, stages, heartbeatMs })
  await app.register(artifactRoute, { store })
  app.get('/api/workflow/stages', async () =>
    [...stages].map(([stage, { version = null, note }]) => ({ stage, version, ...(note && { note }) })),
  )
  await app.register(deleteRoute, { store, runs })
  app.get('/health', async () => ({ status: 'ok', stages: [...stages.keys()], running: runs.running() }))
  return app
}

function isLogger(logger: StageServiceOptions['logger']): logger is FastifyBaseLogger {
  return typeof logger === 'object' && 'child' in logger
}

/** Answers malformed HTTP too, in the same shape. */
function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const body = JSON.stringify(
    errorBody(new StageFailure(400, 'BAD_REQUEST', 'The request is not valid HTTP or too slow to arrive.')),
  )
  const head = ['HTTP/1.1 400 Bad Request', 'Content-Type: application/json', 'Connection: close']
  socket.end(`${[...head, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`)
}
