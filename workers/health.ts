/** The health endpoints of a worker process: the same two that the API has. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { toProblem } from '../contract/errors.ts'

/** `fault` says why the worker can take no jobs, or null. */
export function buildHealthApp(fault: () => Promise<string | null>, log: FastifyBaseLogger): FastifyInstance {
  // Log the address at the start, but not a probe every few seconds.
  const app = Fastify({ loggerInstance: log, forceCloseConnections: true })
  app.get('/health/live', { logLevel: 'warn' }, async () => ({ status: 'live' }))
  app.get('/health/ready', { logLevel: 'warn' }, async (_request, reply) => {
    const why = await fault()
    if (!why) return { status: 'ready' }
    log.warn({ fault: why }, 'not ready')
    reply.code(503).header('retry-after', 2).type('application/problem+json')
    return toProblem('QUEUE_UNAVAILABLE', 'This worker can take no jobs right now')
  })
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('application/problem+json')
    return reply.send(toProblem('NOT_FOUND', 'A worker serves /health/live and /health/ready'))
  })
  return app as unknown as FastifyInstance
}
