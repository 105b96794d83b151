/** GET .../events: the events of a job, live as Server-Sent Events or as one JSON page. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { EVENT_ID_PATTERN, isTerminal } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEvent, JobEventData, JobGone } from '../contract/job-event.ts'
import { requireOwn } from '../journal/reader.ts'
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
    finished: Type.Boolean({ description: 'nothing can follow this page' }),
    gap: Type.Optional(JobSnapshot),
  },
  { title: 'EventPage', description: '`gap`: events after `after` are missing; this is the state instead' },
)

/** `data` of whatever comes in the stream. */
const StreamData = Type.Union([JobEventData, JobSnapshot, JobGone, Hint], {
  title: 'JobStreamData',
  description:
    'the type of the event (its `event` field, no part of the data) tells which: `gap`, `gone` and `hint` have data of their own',
})

const schema = {
  operationId: 'getJobEvents',
  summary: 'Watch a job',
  description:
    'Server-Sent Events unless only JSON is accepted. `Last-Event-ID` or `after` resumes behind that event; a JSON page without news is held back for `wait` seconds. The stream ends after the terminal event; a reconnect behind it gets 204.',
  tags: ['jobs'],
  security: [{ bearer: [] }, { ticket: [] }],
  params: JobParams,
  querystring: Type.Object({
    after: Type.Optional(
      Type.String({ pattern: EVENT_ID_PATTERN, description: 'the id of an event of this job' }),
    ),
    lastEventId: Type.Optional(
      Type.String({
        pattern: EVENT_ID_PATTERN,
        description: 'the same, as polyfills of EventSource send it',
      }),
    ),
    ticket: Type.Optional(Type.String()),
    wait: Wait,
  }),
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
  response: {
    200: {
      description: 'The events',
      content: {
        'text/event-stream': { schema: StreamData },
        'application/json': { schema: Page },
      },
    },
    204: Type.Null({ description: 'The terminal event was seen: stop reconnecting' }),
    ...problems(400, 406, ...JOB_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const authenticate = ticketOrToken(app, async (ticket, params) => {
    const { job_id } = params as { job_id: string }
    const until = await app.stagecast.tickets.check(ticket, job_id)
    return { id: `ticket:${job_id.toLowerCase()}`, until, byTicket: true }
  })

  app.route({
    method: 'GET',
    url: '/api/workflow/stages/:stage/jobs/:job_id/events',
    // A HEAD of an endless answer would never end.
    exposeHeadRoute: false,
    schema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    errorHandler: handleStreamError,
    async handler(request, reply) {
      const { stage, job_id } = request.params
      const userId = request.stagecast.user.byTicket ? null : request.stagecast.user.id
      const cursor = cursorOf(request)
      if (formOf(request, reply) === 'page') {
        await app.stagecast.journal.find(job_id, stage, userId)
        reply.header('cache-control', 'private, no-cache')
        const news = (ms: number) => app.stagecast.progress.news(job_id, cursor, ms, request.signal)
        return reply.send(await pageWithNews(() => readPage(job_id, cursor), request.query.wait ?? 0, news))
      }
      // Read once for all who watch it here; its stream, opened in this very turn, begins with what was read.
      const feed = await app.stagecast.progress.load(job_id)
      const { data } = requireOwn(feed.gone ? null : feed.snapshot, stage, userId)
      if (feed.isOver && cursor === feed.head) return reply.code(204).send(null)
      return openStream(app, reply, { kind: 'job', key: job_id, userId: data.user_id, cursor })
    },
  })

  async function readPage(jobId: string, cursor: string): Promise<Static<typeof Page>> {
    const [record] = await app.stagecast.journal.records([jobId])
    if (!record) throw new ProblemError('JOB_NOT_FOUND', 'The job disappeared while it was read')
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
  dependencies: ['progress', 'streams', 'tickets', 'limits'],
})
