/** POST /api/admin/queue/pause and /resume, for administrators. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { PausedQueues } from '../../contract/fleet.ts'
import { BEARER, BODY_PROBLEMS, type Guarded, problems } from '../responses.ts'

const common = {
  tags: ['operation'],
  security: BEARER,
  response: {
    200: Type.Object({ paused: PausedQueues }, { title: 'PausedQueues' }),
    ...problems(401, 403, 429, 503, ...BODY_PROBLEMS),
  },
}

const ACTS = {
  pause: {
    operationId: 'pauseQueue',
    summary: 'Pause the queue, for administrators',
    description:
      'No further job starts in any worker. Running jobs continue, and jobs are still accepted. Pausing a paused queue changes nothing.',
  },
  resume: {
    operationId: 'resumeQueue',
    summary: 'Resume the queue, for administrators',
    description: 'Ends any pause. Resuming a queue that is not paused changes nothing.',
  },
} as const

const routes: FastifyPluginAsyncTypebox<Guarded> = async (app, { guards }) => {
  for (const act of ['pause', 'resume'] as const) {
    const schema = { ...ACTS[act], ...common }
    app.post(`/api/admin/queue/${act}`, { schema, onRequest: guards }, async (request) => {
      const paused = await app.stagecast.pauses[act]()
      app.stagecast.fleet.expire()
      request.log.info({ actor: request.stagecast.user.id, act, paused }, `an administrator's ${act}`)
      return { paused: [...paused] }
    })
  }
}

export default fp(routes, {
  name: 'admin-queue',
  encapsulate: true,
  dependencies: ['auth', 'fleet', 'pauses'],
})
