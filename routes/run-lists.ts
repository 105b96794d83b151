/** Lists of runs, newest first: of one workflow, and of the caller. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { POSITION_PATTERN } from '../contract/events.ts'
import { Run, RunStatus } from '../contract/run.ts'
import { BEARER, Owner, problems, WorkflowParams } from './responses.ts'

const Page = Type.Object(
  {
    runs: Type.Array(Run),
    next: Type.Union([Type.String({ pattern: POSITION_PATTERN }), Type.Null()], {
      description: 'opaque: `after` of the next page, null on the last one',
    }),
  },
  {
    title: 'RunPage',
    description:
      'A page may be shorter than `limit`, or empty, and still have a `next`: continue until it is null',
  },
)

const Query = Type.Object({
  status: Type.Optional(RunStatus),
  owner: Owner,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
  after: Type.Optional(
    Type.String({ pattern: POSITION_PATTERN, description: '`next` of the previous page' }),
  ),
})

const common = {
  tags: ['runs'],
  security: BEARER,
  querystring: Query,
  response: { 200: Page, ...problems(400, 401, 403, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { access, runs } = app.stagecast
  const onRequest = [app.stagecast.authenticate, app.stagecast.throttle]

  app.route({
    method: 'GET',
    url: '/api/workflow/workflows/:workflow_id/runs',
    schema: {
      ...common,
      operationId: 'listWorkflowRuns',
      summary: 'List the runs of a workflow',
      params: WorkflowParams,
      response: { ...common.response, ...problems(404) },
    },
    onRequest,
    async handler(request, reply) {
      reply.header('cache-control', 'private, no-cache')
      return page(request, request.query, request.params.workflow_id)
    },
  })

  app.route({
    method: 'GET',
    url: '/api/workflow/runs',
    schema: {
      ...common,
      operationId: 'listRuns',
      summary: 'List your runs',
      description: 'Newest first. Administrators get the runs of all users, or with `owner` those of one.',
    },
    onRequest,
    async handler(request, reply) {
      reply.header('cache-control', 'private, no-cache')
      return page(request, request.query)
    },
  })

  async function page(
    request: Pick<FastifyRequest, 'stagecast' | 'log'>,
    { owner, limit = 25, after, status }: Static<typeof Query>,
    workflowId?: string,
  ) {
    const { user } = request.stagecast
    // Without `owner`, an administrator gets the runs of all users, unless a workflow is named: it belongs to one user.
    const isAll = user.admin && owner === undefined && workflowId === undefined
    const whose = isAll ? null : access.owner(request, owner)
    access.log(request, 'read', whose ?? '', { list: 'runs' })
    const page = await runs.page(whose, workflowId, { limit, after, status })
    return user.admin ? page : { ...page, runs: page.runs.map(({ owner: _, ...run }) => run) }
  }
}

export default fp(routes, {
  name: 'run-lists',
  encapsulate: true,
  dependencies: ['runs', 'access', 'limits'],
})
