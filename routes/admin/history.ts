/** GET /api/admin/history: what happened in the queue in the last hours, for administrators. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { History } from '../../contract/history.ts'
import { BEARER, type Guarded, problems } from '../responses.ts'

const schema = {
  operationId: 'getHistory',
  summary: 'Get what happened in the queue in the last hours, for administrators',
  description:
    'Numbers of ended jobs are exact. Numbers of waiting and running jobs are the highest that an API process saw; each looks about twice a minute.',
  tags: ['operation'],
  security: BEARER,
  querystring: Type.Object({
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 24,
        description: 'default 6; up to 1 by minute, up to 6 by 5 minutes, else by 15',
      }),
    ),
  }),
  response: { 200: History, ...problems(400, 401, 403, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox<Guarded> = async (app, { guards }) => {
  app.get('/api/admin/history', { schema, onRequest: guards }, async (request, reply) => {
    reply.header('cache-control', 'private, no-cache')
    const { at, step, points } = await app.stagecast.history.read(request.query.hours ?? 6)
    return { at, step_ms: step * 60_000, points }
  })
}

export default fp(routes, { name: 'history-routes', encapsulate: true, dependencies: ['history'] })
