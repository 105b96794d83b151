/** POST .../retry: a new job with the body of a failed or cancelled one. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_STAGE, ProblemError } from '../contract/errors.ts'
import type { JobRequest } from '../plugins/access.ts'
import { BEARER, BODY_PROBLEMS, JOB_PROBLEMS, JobParams, problems } from './responses.ts'
import { SUBMITTED, SubmitHeaders, submit } from './submit.ts'

const schema = {
  operationId: 'retryJob',
  summary: 'Run a failed or cancelled job again',
  description:
    'Queues a new job with the same body and owner; its `retry_of` names the old job. Without an `Idempotency-Key`, each call queues another job.',
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  headers: SubmitHeaders,
  response: { ...SUBMITTED, ...problems(409, 410, 422, ...BODY_PROBLEMS, ...JOB_PROBLEMS) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.stagecast.traced.onRequest)
  app.addHook('onResponse', app.stagecast.traced.onResponse)
  app.route({
    method: 'POST',
    url: '/api/workflow/stages/:stage/jobs/:job_id/retry',
    schema,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    handler: (request, reply) =>
      retry(request as unknown as FastifyRequest & JobRequest, reply as unknown as FastifyReply) as never,
  })

  async function retry(request: FastifyRequest & JobRequest, reply: FastifyReply) {
    const { job_id, stage, status, data } = await app.stagecast.access.job(request, 'retry')
    if (status !== 'failed' && status !== 'cancelled')
      throw new ProblemError(
        'NOT_RETRYABLE',
        `Only a failed or cancelled job can be retried; this one is ${status}`,
      )
    const { catalogue } = app.stagecast
    if (!catalogue.get(stage)) throw new ProblemError('STAGE_NOT_FOUND', NO_SUCH_STAGE)
    if (catalogue.inputFaults(stage, data.inputs).length > 0)
      throw new ProblemError('NOT_RETRYABLE', 'The stage has changed and no longer accepts these inputs')
    const { workflow_id, research_question, inputs } = data
    return submit(app, request, reply, {
      stage,
      body: { workflow_id, ...(research_question !== null && { research_question }), inputs },
      userId: data.user_id,
      callerId: request.stagecast.user.id,
      idempotencyKey: request.headers['idempotency-key'] as string | undefined,
      retryOf: job_id,
    })
  }
}

export default fp(routes, {
  name: 'retry',
  encapsulate: true,
  dependencies: ['catalogue', 'tracing', 'queue', 'tickets', 'limits', 'progress', 'long-poll', 'access'],
})
