/** POST .../cancel: cancels a waiting or running job. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { NO_SUCH_JOB, ProblemError } from '../contract/errors.ts'
import { Uuid } from '../contract/job.ts'
import { BEARER, BODY_PROBLEMS, JOB_PROBLEMS, JobParams, problems } from './responses.ts'

const schema = {
  operationId: 'cancelJob',
  summary: 'Cancel a job',
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  response: {
    200: Type.Object({ job_id: Uuid, status: Type.Literal('cancelled') }, { title: 'Cancelled' }),
    202: Type.Object({ job_id: Uuid, status: Type.Literal('cancelling') }, { title: 'Cancelling' }),
    ...problems(409, ...BODY_PROBLEMS, ...JOB_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/api/workflow/stages/:stage/jobs/:job_id/cancel',
    schema,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { stage, job_id } = request.params
      const { data } = await app.stagecast.access.job(request, 'cancel')
      const outcome = await app.stagecast.journal.cancel({ ...data, job_id })
      if (outcome === 'cancelling') return reply.code(202).send({ job_id, status: 'cancelling' })
      if (outcome === 'gone') throw new ProblemError('JOB_NOT_FOUND', NO_SUCH_JOB)
      if (outcome === 'cancelled') await app.stagecast.queue.discard(job_id)
      const { status } = await app.stagecast.journal.find(job_id, stage, data.user_id)
      if (status !== 'cancelled')
        throw new ProblemError('JOB_FINISHED', `The job has already ${status}; nothing was changed`)
      return reply.code(200).send({ job_id, status })
    },
  })
}

export default fp(routes, { name: 'cancel', encapsulate: true, dependencies: ['queue', 'access', 'limits'] })
