/** GET /api/workflow/me: says who the caller is, so that a page need not guess it from a token. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { BEARER, problems } from './responses.ts'

const Me = Type.Object(
  {
    user_id: Type.String({ description: 'owner of the jobs that the caller starts' }),
    admin: Type.Boolean({ description: "whether the caller may use the administrators' routes" }),
    authentication: Type.Union(
      [Type.Literal('token'), Type.Literal('application'), Type.Literal('development')],
      {
        description:
          'how the caller was identified: by a verified token, by the application around Stagecast, or not at all (ALLOW_MOCK_AUTH)',
      },
    ),
  },
  { title: 'Me' },
)

const schema = {
  operationId: 'getMe',
  summary: 'Say who the caller is',
  tags: ['caller'],
  security: BEARER,
  response: { 200: Me, ...problems(401, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/workflow/me',
    { schema, onRequest: [app.stagecast.authenticate, app.stagecast.throttle] },
    async ({ stagecast: { user } }, reply) => {
      reply.header('cache-control', 'private, no-cache')
      const { id, admin = false, authentication = 'token' } = user
      return { user_id: id, admin, authentication }
    },
  )
}

export default fp(routes, { name: 'me-routes', encapsulate: true, dependencies: ['auth', 'limits'] })
