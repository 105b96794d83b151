/** GET /metrics, for Prometheus. */
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { Guarded } from '../responses.ts'

const routes: FastifyPluginAsync<Guarded> = async (app, { guards }) => {
  // Not part of the API that clients generate code for.
  const options = { schema: { hide: true }, onRequest: guards, logLevel: 'warn' as const }
  app.get('/metrics', options, async (_request, reply) => {
    const { contentType, text } = await app.stagecast.metrics()
    return reply.type(contentType).header('cache-control', 'no-store').send(text)
  })
}

export default fp(routes, { name: 'metrics-routes', encapsulate: true, dependencies: ['metrics'] })
