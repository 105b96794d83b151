/** GET /health/live: the process is running. GET /health/ready: it can serve requests. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { unavailable } from '../contract/errors.ts'
import { PausedQueues } from '../contract/fleet.ts'
import { PUBLIC, problems } from './responses.ts'

const live = {
  operationId: 'getLiveness',
  summary: 'Whether the process is running',
  tags: ['operation'],
  security: PUBLIC,
  response: { 200: Type.Object({ status: Type.Literal('live') }), ...problems() },
}

const ready = {
  operationId: 'getReadiness',
  summary: 'Whether jobs can be queued and watched',
  tags: ['operation'],
  security: PUBLIC,
  response: {
    // A paused queue does not affect readiness: jobs can still be queued and watched.
    200: Type.Object({ status: Type.Literal('ready'), paused: Type.Optional(PausedQueues) }),
    ...problems(503),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/health/live', { schema: live, logLevel: 'warn' }, async () => ({ status: 'live' as const }))
  app.get('/health/ready', { schema: ready, logLevel: 'warn' }, async (request) => {
    const fault =
      (await app.stagecast.redisFault()) ??
      (app.stagecast.tail.connected ? null : 'the event reader is not connected')
    if (fault) {
      request.log.warn({ fault }, 'not ready')
      throw unavailable()
    }
    const paused = [...app.stagecast.pauses.current()]
    return { status: 'ready' as const, ...(paused.length > 0 && { paused }) }
  })
}

export default fp(routes, { name: 'health', encapsulate: true, dependencies: ['redis', 'tail', 'pauses'] })
