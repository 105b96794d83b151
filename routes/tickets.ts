/** POST .../tickets: a ticket for EventSource, which cannot send a header. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { BEARER, BODY_PROBLEMS, JOB_PROBLEMS, JobParams, problems } from './responses.ts'

const schema = {
  operationId: 'createTicket',
  summary: 'Get a ticket for the events of a job',
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  response: {
    201: Type.Object({
      ticket: Type.String(),
      events_url: Type.String(),
      expires_at: Type.Integer({ description: 'epoch milliseconds' }),
    }),
    ...problems(...BODY_PROBLEMS, ...JOB_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/api/workflow/stages/:stage/jobs/:job_id/tickets',
    schema,
    onRequest: [app.authenticate, app.throttle],
    async handler(request, reply) {
      const { stage, job_id } = request.params
      await app.journal.find(job_id, stage, request.user.id)
      const { ticket, expiresAt } = await app.tickets.issue(job_id)
      const events_url = `/api/workflow/stages/${stage}/jobs/${job_id}/events?ticket=${ticket}`
      return reply.code(201).send({ ticket, events_url, expires_at: expiresAt })
    },
  })
}

export default fp(routes, { name: 'ticket-routes', encapsulate: true, dependencies: ['tickets', 'limits'] })
