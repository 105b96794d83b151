/** DELETE of a job, and of a workflow with all its jobs. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
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

const description =
  'The stage service deletes its files first. A 503 means that the service or Redis did not confirm; repeat the request to continue.'

const jobSchema = {
  operationId: 'deleteJob',
  summary: 'Delete a finished job',
  description,
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  response: {
    204: Type.Null({ description: 'Nothing is left of the job' }),
    ...problems(409, ...BODY_PROBLEMS, ...JOB_PROBLEMS),
  },
}

const workflowSchema = {
  operationId: 'deleteWorkflow',
  summary: 'Delete all jobs of a workflow',
  description: `${description} Jobs whose files were not deleted stay as they are.`,
  tags: ['workflows'],
  security: BEARER,
  params: WorkflowParams,
  querystring: Type.Object({ owner: Owner }),
  response: {
    204: Type.Null({ description: 'Nothing is left of the workflow' }),
    ...problems(403, 409, ...BODY_PROBLEMS, ...WORKFLOW_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { access, deletion } = app.stagecast
  const onRequest = [app.stagecast.authenticate, app.stagecast.throttle]

  app.route({
    method: 'DELETE',
    url: '/api/workflow/stages/:stage/jobs/:job_id',
    schema: jobSchema,
    onRequest,
    async handler(request, reply) {
      await deletion.job(request, await access.job(request, 'delete'))
      return reply.code(204).send(null)
    },
  })

  app.route({
    method: 'DELETE',
    url: '/api/workflow/workflows/:workflow_id',
    schema: workflowSchema,
    onRequest,
    async handler(request, reply) {
      const { workflow_id: workflowId } = request.params
      const owner = access.owner(request, request.query.owner)
      access.log(request, 'delete', owner, { workflowId })
      await deletion.workflow(request, owner, workflowId)
      return reply.code(204).send(null)
    },
  })
}

export default fp(routes, {
  name: 'delete',
  encapsulate: true,
  dependencies: ['access', 'deletion', 'limits'],
})
