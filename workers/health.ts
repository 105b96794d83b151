/** The health listener of a worker process: the two questions the API answers too. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { toProblem } from '../contract/errors.ts'

/** `fault` tells why no job can be taken, or null. */
export function buildHealthApp(fault: () => Promise<string | null>, log: FastifyBaseLogger): FastifyInstance {
  // Its log tells the address; probes every few seconds are no news.
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
