/** GET .../events: the events of a job, live as Server-Sent Events or as one JSON page. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { EVENT_ID_PATTERN, isTerminal } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEvent, JobEventData, JobGone } from '../contract/job-event.ts'
import { cursorBehindGap, isReplayable } from '../journal/snapshot.ts'
import { JOB_PROBLEMS, JobParams, problems, Wait } from './responses.ts'
import {
  asItIs,
  cursorOf,
  formOf,
  handleStreamError,
  openStream,
  pageWithNews,
  ticketOrToken,
} from './streaming.ts'

const Page = Type.Object(
  {
    events: Type.Array(JobEvent),
    cursor: Type.String({ pattern: EVENT_ID_PATTERN }),
    finished: Type.Boolean({ description: 'true: the job has ended and no events follow' }),
    gap: Type.Optional(JobSnapshot),
  },
  {
    title: 'EventPage',
    description: '`gap`: events after `after` are no longer stored; this is the current state instead',
  },
)

/** `data` of the events in the stream. */
const StreamData = Type.Union([JobEventData, JobSnapshot, JobGone, Hint], {
  title: 'JobStreamData',
  description: 'depends on the `event` field of the frame; `gap`, `gone` and `hint` have their own data',
})

const After = Type.Optional(
  Type.String({ pattern: EVENT_ID_PATTERN, description: 'the id of an event of this job' }),
)
const TicketText = Type.Optional(Type.String())

const common = { tags: ['jobs'], security: [{ bearer: [] }, { ticket: [] }], params: JobParams }

const streamSchema = {
  ...common,
  operationId: 'getJobEvents',
  summary: 'Watch a job',
  description:
    'Server-Sent Events. Send `Last-Event-ID`, `lastEventId` or `after` to resume after that event. The stream ends after the terminal event; reconnecting after it returns 204. A stream that the server closes earlier ends with `event: reconnect`. A client that prefers `application/json` gets the response of `…/events/page`.',
  querystring: Type.Object({
    after: After,
    lastEventId: Type.Optional(
      Type.String({
        pattern: EVENT_ID_PATTERN,
        description: 'the same as `after`; sent by EventSource polyfills',
      }),
    ),
    ticket: TicketText,
    wait: Wait,
  }),
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
  response: {
    200: { description: 'The events', content: { 'text/event-stream': { schema: StreamData } } },
    204: Type.Null({ description: 'The client has the terminal event: stop reconnecting' }),
    ...problems(400, 406, ...JOB_PROBLEMS),
  },
}

const pageSchema = {
  ...common,
  operationId: 'getJobEventsPage',
  summary: 'Read the events of a job',
  description:
    'The events after `after` as JSON. If there are none, the server waits up to `wait` seconds for one.',
  querystring: Type.Object({ after: After, ticket: TicketText, wait: Wait }),
  response: {
    200: { description: 'The events', content: { 'application/json': { schema: Page } } },
    ...problems(400, ...JOB_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const url = '/api/workflow/stages/:stage/jobs/:job_id/events'
  const authenticate = ticketOrToken(app, async (ticket, params) => {
    const { job_id } = params as { job_id: string }
    const until = await app.stagecast.tickets.check(ticket, job_id)
    return { id: `ticket:${job_id.toLowerCase()}`, until, byTicket: true }
  })

  app.route({
    method: 'GET',
    url,
    // A HEAD request to an endless stream would never finish.
    exposeHeadRoute: false,
    schema: streamSchema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    errorHandler: handleStreamError,
    async handler(request, reply) {
      const { job_id } = request.params
      const cursor = cursorOf(request)
      if (formOf(request, reply) === 'page')
        return reply.send((await pageFor(request, reply, cursor)) as never)
      // One read serves all clients that watch the job here. The stream opens in the same turn and starts with it.
      const feed = await app.stagecast.progress.load(job_id)
      const { data } = app.stagecast.access.judge(request, 'read', feed.gone ? null : feed.snapshot)
      if (feed.isOver && cursor === feed.head) return reply.code(204).send(null)
      return openStream(app, reply, { kind: 'job', key: job_id, userId: data.user_id, cursor })
    },
  })

  app.route({
    method: 'GET',
    url: `${url}/page`,
    exposeHeadRoute: false,
    schema: pageSchema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    handler: (request, reply) => pageFor(request, reply, request.query.after ?? ''),
  })

  async function pageFor(
    request: Pick<
      FastifyRequest<{ Params: Static<typeof JobParams>; Querystring: { wait?: number } }>,
      'params' | 'query' | 'stagecast' | 'signal' | 'log'
    >,
    reply: { header(name: string, value: string): unknown },
    cursor: string,
  ): Promise<Static<typeof Page>> {
    const { job_id } = request.params
    await app.stagecast.access.job(request, 'read')
    reply.header('cache-control', 'private, no-cache')
    const news = (ms: number) => app.stagecast.progress.news(job_id, cursor, ms, request.signal)
    return pageWithNews(() => readPage(job_id, cursor), app.stagecast.longPollMs(request.query.wait), news)
  }

  async function readPage(jobId: string, cursor: string): Promise<Static<typeof Page>> {
    const [record] = await app.stagecast.journal.records([jobId])
    if (!record) throw new ProblemError('JOB_NOT_FOUND', 'The job was removed while it was being read')
    const { events, snapshot } = record
    if (!isReplayable(cursor, events)) {
      const behind = cursorBehindGap(snapshot, events)
      return { events: [], cursor: behind, finished: false, gap: snapshot }
    }
    return {
      events: events.filter(({ id }) => id > cursor),
      cursor: snapshot.cursor,
      finished: isTerminal(snapshot.status),
    }
  }
}

export default fp(routes, {
  name: 'events',
  encapsulate: true,
  dependencies: ['progress', 'access', 'streams', 'tickets', 'limits', 'long-poll'],
})
