/** GET /api/workflow/jobs: the caller's own jobs, newest first. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { JobStatus, POSITION_PATTERN } from '../contract/events.ts'
import { JobSummary, StageNumber, Uuid } from '../contract/job.ts'
import { BEARER, Owner, problems } from './responses.ts'

const Page = Type.Object(
  {
    jobs: Type.Array(JobSummary),
    next: Type.Union([Type.String({ pattern: POSITION_PATTERN }), Type.Null()], {
      description: 'opaque; send it as `after` to get the next page; null on the last page',
    }),
  },
  {
    title: 'JobPage',
    description:
      'A page may be shorter than `limit`, or empty, and still have a `next`: continue until it is null',
  },
)

const schema = {
  operationId: 'listJobs',
  summary: 'List your jobs',
  description:
    'Newest first. Paging never skips or repeats a job while new ones arrive. Expired jobs are not listed.',
  tags: ['jobs'],
  security: BEARER,
  querystring: Type.Object({
    stage: Type.Optional(StageNumber),
    status: Type.Optional(JobStatus),
    workflow_id: Type.Optional(Uuid),
    search: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'text in the question, in any case, or the beginning of the id of a job or workflow',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
    owner: Owner,
    after: Type.Optional(
      Type.String({ pattern: POSITION_PATTERN, description: '`next` of the previous page' }),
    ),
  }),
  response: { 200: Page, ...problems(400, 401, 403, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { access } = app.stagecast
  app.route({
    method: 'GET',
    url: '/api/workflow/jobs',
    schema,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { limit = 25, after, owner, ...filter } = request.query
      const { user } = request.stagecast
      // Without `owner`, an administrator gets the jobs of all users.
      const whose = user.admin && owner === undefined ? null : access.owner(request, owner)
      access.log(request, 'read', whose ?? '', { list: 'jobs' })
      const { jobs, next } = await app.stagecast.jobs.page(whose, filter, limit, after)
      reply.header('cache-control', 'private, no-cache')
      return { jobs: user.admin ? jobs : jobs.map(({ owner: _, ...job }) => job), next }
    },
  })
}

export default fp(routes, { name: 'job-list', encapsulate: true, dependencies: ['jobs', 'access', 'limits'] })
