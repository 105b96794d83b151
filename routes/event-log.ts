/** The two routes to a log of events: live as Server-Sent Events, and as one JSON page. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../plugins/auth.ts'
import { problems, Wait } from './responses.ts'
import {
  asItIs,
  cursorOf,
  formOf,
  handleStreamError,
  type NewsPage,
  pageWithNews,
  type Resuming,
  ticketOrToken,
} from './streaming.ts'

/** A route in the OpenAPI document, and what it returns. */
interface Operation {
  operationId: string
  summary: string
  description: string
  answer: TSchema
}

export type EventRequest<P extends TSchema> = FastifyRequest<{
  Params: Static<P>
  Querystring: Resuming['query'] & { wait?: number }
  Headers: Resuming['headers']
}>

export interface EventLog<P extends TObject, Page extends NewsPage> {
  /** Address of the stream; the page is at `<url>/page`. */
  url: string
  tag: string
  params: P
  /** Additional query parameters. */
  query?: TProperties
  /** The pattern of an event id, and whether it is the id of a job's or a workflow's event. */
  id: { pattern: string; of: string }
  stream: Operation & {
    /** The response to a client that already has the last event; absent if the last event does not exist. */
    finished?: TSchema
    /** Opens the stream after `cursor`. */
    open(request: EventRequest<P>, reply: FastifyReply, cursor: string): Promise<FastifyReply>
  }
  page: Operation & {
    /** Checks the caller; returns how to read the page after `cursor`, and how to wait up to `ms` for news. */
    open(
      request: EventRequest<P>,
      cursor: string,
    ): Promise<{ read(): Promise<Page>; news(ms: number): Promise<void> }>
  }
  /** The error statuses of both routes. */
  problems: readonly number[]
  /** The caller that a ticket represents. Throws if the ticket is invalid. */
  callerOf(ticket: string, params: Static<P>): Promise<Caller>
}

export function registerEventLog<P extends TObject, Page extends NewsPage>(
  app: FastifyInstance,
  log: EventLog<P, Page>,
): void {
  const { url, params, query = {}, id, stream, page } = log
  const authenticate = ticketOrToken(app, (ticket, params) => log.callerOf(ticket, params as Static<P>))
  const onRequest = [authenticate, app.stagecast.throttle]
  const after = Type.String({ pattern: id.pattern, description: `the id of an event of this ${id.of}` })
  const lastEventId = Type.String({
    pattern: id.pattern,
    description: 'the same as `after`; sent by EventSource polyfills',
  })
  const ticket = Type.Optional(Type.String())
  const schemaOf = ({ operationId, summary, description }: Operation) => ({
    tags: [log.tag],
    security: [{ bearer: [] }, { ticket: [] }],
    params,
    operationId,
    summary,
    description,
  })

  app.route<{ Params: Static<P> }>({
    method: 'GET',
    url,
    // A HEAD request to an endless stream would never finish.
    exposeHeadRoute: false,
    schema: {
      ...schemaOf(stream),
      querystring: Type.Object({
        after: Type.Optional(after),
        lastEventId: Type.Optional(lastEventId),
        ticket,
        wait: Wait,
        ...query,
      }),
      headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
      response: {
        200: { description: 'The events', content: { 'text/event-stream': { schema: stream.answer } } },
        ...(stream.finished && { 204: stream.finished }),
        ...problems(400, 406, ...log.problems),
      },
    },
    serializerCompiler: asItIs,
    onRequest,
    errorHandler: handleStreamError,
    async handler(request, reply) {
      const asked = request as EventRequest<P>
      const cursor = cursorOf(asked)
      if (formOf(request, reply) === 'page') return reply.send(await pageFor(asked, reply, cursor))
      return stream.open(asked, reply, cursor)
    },
  })

  app.route<{ Params: Static<P> }>({
    method: 'GET',
    url: `${url}/page`,
    exposeHeadRoute: false,
    schema: {
      ...schemaOf(page),
      querystring: Type.Object({ after: Type.Optional(after), ticket, wait: Wait, ...query }),
      response: {
        200: { description: 'The events', content: { 'application/json': { schema: page.answer } } },
        ...problems(400, ...log.problems),
      },
    },
    serializerCompiler: asItIs,
    onRequest,
    handler(request, reply) {
      const asked = request as EventRequest<P>
      return pageFor(asked, reply, asked.query.after ?? '')
    },
  })

  async function pageFor(request: EventRequest<P>, reply: FastifyReply, cursor: string): Promise<Page> {
    const { read, news } = await page.open(request, cursor)
    reply.header('cache-control', 'private, no-cache')
    return pageWithNews(read, app.stagecast.longPollMs(request.query.wait), news)
  }
}
