/** GET .../status: the state of a job, with ETag and long polling. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { EVENT_ID_PATTERN, isTerminal } from '../contract/events.ts'
import { JobSnapshot } from '../contract/job.ts'
import { answer, BEARER, headers, JOB_PROBLEMS, JobParams, problems, Wait } from './responses.ts'

const schema = {
  operationId: 'getJobStatus',
  summary: 'Get the state of a job',
  description: 'With `after` and `wait`, the server answers as soon as the job has an event after `after`.',
  tags: ['jobs'],
  security: BEARER,
  params: JobParams,
  querystring: Type.Object({
    after: Type.Optional(Type.String({ pattern: EVENT_ID_PATTERN, description: 'a cursor or event id' })),
    wait: Wait,
  }),
  headers: Type.Object({ 'if-none-match': Type.Optional(Type.String()) }),
  response: {
    200: answer('The state', JobSnapshot, 'etag', 'retry-after'),
    304: Type.Null({ description: 'The state has not changed', headers: headers('etag', 'retry-after') }),
    ...problems(400, ...JOB_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/api/workflow/stages/:stage/jobs/:job_id/status',
    schema,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { stage, job_id } = request.params
      const { after, wait } = request.query
      const waitMs = app.stagecast.longPollMs(wait)
      let job = await app.stagecast.access.shown(request)
      if (waitMs > 0 && after !== undefined && job.cursor <= after && !isTerminal(job.status)) {
        await app.stagecast.progress.news(job_id, after, waitMs, request.signal)
        job = await app.stagecast.journal.find(job_id, stage, job.data.user_id)
      }
      const etag = `"${job.cursor}"`
      reply.headers({ etag, 'cache-control': 'private, no-cache' })
      if (!isTerminal(job.status)) reply.header('retry-after', 1)
      if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send(null)
      return reply.send({ estimate: await app.stagecast.estimate(job), ...job })
    },
  })
}

/** RFC 9110, 13.1.2: a list of tags, compared weakly, or `*`. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
}

export default fp(routes, {
  name: 'status',
  encapsulate: true,
  dependencies: ['progress', 'estimates', 'access', 'limits', 'long-poll'],
})
