/** GET .../events: the events of a job, live as Server-Sent Events or as one JSON page. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { handleError } from '../plugins/errors.ts'
import { ERRORS, ProblemError } from '../stages/errors.ts'
import { EVENT_ID_PATTERN, isTerminal } from '../stages/events.ts'
import { JobEvent, JobSnapshot } from '../stages/job.ts'
import { isReplayable } from '../stages/snapshot.ts'
import { JOB_PROBLEMS, JobParams, named, problems } from './responses.ts'

const Page = Type.Object(
  {
    events: Type.Array(named(JobEvent)),
    cursor: Type.String({ pattern: EVENT_ID_PATTERN }),
    gap: Type.Optional(named(JobSnapshot)),
  },
  { $id: 'EventPage', description: '`gap`: events after `after` are missing; this is the state instead' },
)

const schema = {
  operationId: 'getJobEvents',
  summary: 'Watch a job',
  description:
    'Server-Sent Events unless only JSON is accepted. `Last-Event-ID` or `after` resumes behind that event. The stream ends after the terminal event; a reconnect behind it gets 204.',
  tags: ['jobs'],
  security: [{ bearer: [] }, { ticket: [] }],
  params: JobParams,
  querystring: Type.Object({
    after: Type.Optional(
      Type.String({ pattern: EVENT_ID_PATTERN, description: 'the id of an event of this job' }),
    ),
    ticket: Type.Optional(Type.String()),
  }),
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
  response: {
    200: {
      description: 'The events',
      content: {
        'text/event-stream': { schema: Type.String() },
        'application/json': { schema: Page },
      },
    },
    204: Type.Null({ description: 'The terminal event was seen: stop reconnecting' }),
    ...problems(400, 406, ...JOB_PROBLEMS),
  },
}

/** How long a client over a cap is told to stay away. */
const FULL_RETRY_SECONDS = 30

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/api/workflow/stages/:stage/jobs/:job_id/events',
    // A HEAD of an endless answer would never end.
    exposeHeadRoute: false,
    schema,
    onRequest: [authenticate, app.throttle],
    errorHandler(error, request, reply) {
      const passing = error instanceof ProblemError && error.extras.retryAfter !== undefined
      return passing && isEventSource(request) ? turnAway(reply, error) : handleError(error, request, reply)
    },
    async handler(request, reply) {
      const { stage, job_id } = request.params
      const byTicket = request.query.ticket !== undefined
      const job = await app.journal.find(job_id, stage, byTicket ? null : request.user.id)
      const vary = reply.getHeader('vary')
      reply.header('vary', vary ? `${vary}, accept` : 'accept')
      const type = request.accepts().type(['text/event-stream', 'application/json'])
      if (!type) throw new ProblemError('NOT_ACCEPTABLE', 'Accept text/event-stream or application/json')
      const cursor = request.headers['last-event-id'] || request.query.after || ''
      if (type === 'application/json') return sendPage(reply, job_id, cursor)
      if (isTerminal(job.status) && cursor === job.cursor) return reply.code(204).send(null)

      const full = app.streams.full(job_id, job.data.user_id)
      if (full) throw refusal(full)
      startStream(reply)
      app.streams.open(reply.raw, {
        jobId: job_id,
        userId: job.data.user_id,
        cursor,
        until: request.user.until,
      })
      return reply
    },
  })

  async function authenticate(request: FastifyRequest): Promise<void> {
    const { ticket } = request.query as { ticket?: unknown }
    if (ticket === undefined) return app.authenticate(request)
    const { job_id } = request.params as { job_id: string }
    const until = await app.tickets.check(String(ticket), job_id)
    request.user = { id: `ticket:${job_id}`, until }
  }

  async function sendPage(reply: FastifyReply, jobId: string, cursor: string): Promise<FastifyReply> {
    const [record] = await app.journal.records([jobId])
    if (!record) throw new ProblemError('JOB_NOT_FOUND', 'The job disappeared while it was read')
    const { events, snapshot } = record
    reply.header('cache-control', 'private, no-cache')
    if (!isReplayable(cursor, events))
      return reply.send({ events: [], cursor: snapshot.cursor, gap: snapshot })
    return reply.send({ events: events.filter(({ id }) => id > cursor), cursor: snapshot.cursor })
  }
}

/** Writes the head at once; the headers that hooks have set (CORS, security) are kept. */
function startStream(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // nginx would hold the stream back otherwise.
    'x-accel-buffering': 'no',
  })
  reply.raw.flushHeaders()
}

/** A browser's EventSource cannot send a token, so it comes with a ticket. */
function isEventSource({ query, headers }: FastifyRequest): boolean {
  return (query as { ticket?: string }).ticket !== undefined && headers.accept === 'text/event-stream'
}

/** Any status but 200 would stop an EventSource for good, also over a trouble that passes: it is told to come back. */
function turnAway(reply: FastifyReply, { code, extras: { retryAfter = 1 } }: ProblemError): void {
  startStream(reply)
  reply.raw.end(`retry: ${retryAfter * 1000}\n: ${ERRORS[code].title}\n\n`)
}

function refusal(full: 'process' | 'user' | 'job'): ProblemError {
  const retryAfter = FULL_RETRY_SECONDS
  return full === 'process'
    ? new ProblemError('STREAMS_FULL', 'Watch by polling the status route, or come back later', {
        retryAfter,
      })
    : new ProblemError('TOO_MANY_STREAMS', `Close some streams of this ${full}, or poll the status route`, {
        retryAfter,
      })
}

export default fp(routes, {
  name: 'events',
  encapsulate: true,
  dependencies: ['streams', 'tickets', 'limits'],
})
