/** GET /api/workflow/stages: lists the stages. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { Stage } from '../contract/catalogue.ts'
import { BEARER, problems } from './responses.ts'

const schema = {
  operationId: 'listStages',
  summary: 'List the stages',
  tags: ['stages'],
  security: BEARER,
  response: { 200: Type.Object({ stages: Type.Array(Stage) }), ...problems(401, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/workflow/stages',
    { schema, onRequest: [app.stagecast.authenticate, app.stagecast.throttle] },
    async () => ({ stages: await app.stagecast.catalogue.list() }),
  )
}

export default fp(routes, {
  name: 'catalogue-routes',
  encapsulate: true,
  dependencies: ['catalogue', 'auth', 'limits'],
})
