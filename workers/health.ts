/** The health endpoints of a worker process, the same as those of the API. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { toProblem } from '../contract/errors.ts'

export interface HealthOptions {
  /** Why the worker cannot take jobs right now; null if it can. */
  fault(): Promise<string | null>
  /** Names of paused queues. */
  paused(): readonly string[]
  log: FastifyBaseLogger
}

export function buildHealthApp({ fault, paused, log }: HealthOptions): FastifyInstance {
  // Log the address at the start, but not a probe every few seconds.
  const app = Fastify({ loggerInstance: log, forceCloseConnections: true })
  app.get('/health/live', { logLevel: 'warn' }, async () => ({ status: 'live' }))
  app.get('/health/ready', { logLevel: 'warn' }, async (_request, reply) => {
    const why = await fault()
    if (!why) return { status: 'ready', ...(paused().length > 0 && { paused: paused() }) }
    log.warn({ fault: why }, 'not ready')
    reply.code(503).header('retry-after', 2).type('application/problem+json')
    return toProblem('QUEUE_UNAVAILABLE', 'This worker cannot take jobs right now')
  })
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('application/problem+json')
    return reply.send(toProblem('NOT_FOUND', 'A worker serves /health/live and /health/ready'))
  })
  return app as unknown as FastifyInstance
}
