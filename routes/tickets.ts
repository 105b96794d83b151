/** POST .../tickets: issues a ticket for EventSource, which cannot send a header. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { NO_SUCH_WORKFLOW, ProblemError } from '../contract/errors.ts'
import { workflowName } from '../journal/order.ts'
import {
  BEARER,
  BODY_PROBLEMS,
  JOB_PROBLEMS,
  JobParams,
  Owner,
  problems,
  WORKFLOW_PROBLEMS,
  WorkflowParams,
} from './responses.ts'

const Ticket = Type.Object(
  {
    ticket: Type.String(),
    events_url: Type.String(),
    expires_at: Type.Integer({ description: 'epoch milliseconds' }),
  },
  { title: 'Ticket' },
)

const jobTicket = {
  operationId: 'createTicket',
  summary: 'Get a ticket for the events of a job',
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  response: { 201: Ticket, ...problems(...BODY_PROBLEMS, ...JOB_PROBLEMS) },
}

const workflowTicket = {
  operationId: 'createWorkflowTicket',
  summary: 'Get a ticket for the events of a workflow',
  tags: ['workflows'],
  security: BEARER,
  params: WorkflowParams,
  querystring: Type.Object({ owner: Owner }),
  response: { 201: Ticket, ...problems(403, ...BODY_PROBLEMS, ...WORKFLOW_PROBLEMS) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { access } = app.stagecast
  app.route({
    method: 'POST',
    url: '/api/workflow/stages/:stage/jobs/:job_id/tickets',
    schema: jobTicket,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { stage, job_id } = request.params
      await access.job(request, 'read')
      const { ticket, expiresAt } = await app.stagecast.tickets.issue(job_id)
      const events_url = `${app.stagecast.base(request)}/api/workflow/stages/${stage}/jobs/${job_id}/events?ticket=${ticket}`
      return reply.code(201).send({ ticket, events_url, expires_at: expiresAt })
    },
  })

  app.route({
    method: 'POST',
    url: '/api/workflow/workflows/:workflow_id/tickets',
    schema: workflowTicket,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { workflow_id } = request.params
      const owner = access.owner(request, request.query.owner)
      access.log(request, 'read', owner, { workflowId: workflow_id })
      if (!(await app.stagecast.workflows.exists(workflowName(owner, workflow_id))))
        throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
      const { ticket, expiresAt } = await app.stagecast.tickets.issueWorkflow(owner, workflow_id)
      const events_url = `${app.stagecast.base(request)}/api/workflow/workflows/${workflow_id}/events?ticket=${ticket}`
      return reply.code(201).send({ ticket, events_url, expires_at: expiresAt })
    },
  })
}

export default fp(routes, {
  name: 'ticket-routes',
  encapsulate: true,
  dependencies: ['tickets', 'access', 'workflows', 'limits'],
})
