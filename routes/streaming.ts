/** What the two event routes share: choosing a form, opening a stream, and turning a client away. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, ProblemError } from '../contract/errors.ts'
import type { Caller } from '../plugins/auth.ts'
import type { StreamRequest } from '../plugins/streams.ts'
import { breakOff } from '../watch/frame.ts'
import { preferredForm } from './accept.ts'

/** How long a client over a cap is told to stay away. */
const FULL_RETRY_SECONDS = 30

/**
 * Writes an answer without looking at its schema. An event is one of many alternatives there, and a serializer that is
 * made of a schema would hold each event of a page against one after the other.
 */
export function asItIs(): (answer: unknown) => string {
  return JSON.stringify
}

/** The form that the client accepts; throws 406. */
export function formOf(request: FastifyRequest, reply: FastifyReply): 'stream' | 'page' {
  const vary = reply.getHeader('vary')
  reply.header('vary', vary ? `${vary}, accept` : 'accept')
  const form = preferredForm(request.headers.accept)
  if (!form) throw new ProblemError('NOT_ACCEPTABLE', 'Accept text/event-stream or application/json')
  return form
}

/** The last event that the client has: browsers send the header, polyfills `lastEventId`, pages and programs `after`. */
export function cursorOf({
  headers,
  query,
}: {
  headers: Resuming['headers']
  query: Resuming['query']
}): string {
  return headers['last-event-id'] || query.lastEventId || query.after || ''
}

interface Resuming {
  headers: { 'last-event-id'?: string }
  query: { lastEventId?: string; after?: string }
}

/**
 * Lets in who comes with a ticket that `check` accepts, or with a good `Authorization`, whatever the ticket beside it
 * is worth.
 */
export function ticketOrToken(
  app: FastifyInstance,
  check: (ticket: string, params: unknown) => Promise<Caller>,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const { ticket } = request.query as { ticket?: unknown }
    if (ticket === undefined) return app.stagecast.authenticate(request)
    const caller = await check(String(ticket), request.params).catch((error) => {
      if (request.headers.authorization === undefined) throw error
      return null
    })
    if (caller) request.stagecast.user = caller
    else await app.stagecast.authenticate(request)
  }
}

/** Hands the connection over to an event stream; throws 429 or 503 over a cap. */
export function openStream(
  app: FastifyInstance,
  reply: FastifyReply,
  stream: Omit<StreamRequest, 'until'>,
): FastifyReply {
  const full = app.stagecast.streams.full(stream.key, stream.userId)
  if (full) throw refusal(full === 'feed' ? stream.kind : full)
  startStream(reply)
  app.stagecast.streams.open(reply.raw, { ...stream, until: reply.request.stagecast.user.until })
  return reply
}

/** A page, held back for at most `waitMs` while there is nothing to tell. */
export async function pageWithNews<P extends { events: unknown[]; gap?: unknown; finished?: boolean }>(
  read: () => Promise<P>,
  waitMs: number,
  news: (ms: number) => Promise<void>,
): Promise<P> {
  const page = await read()
  if (waitMs === 0 || page.events.length > 0 || page.gap || page.finished) return page
  await news(waitMs)
  return read()
}

/** An EventSource is not stopped for good by a trouble that passes. */
export function handleStreamError(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const passing = error instanceof ProblemError && error.extras.retryAfter !== undefined
  return passing && isEventSource(request) ? turnAway(reply, error) : reply.send(error)
}

/** Makes the head, which goes out with the first line; the headers that hooks have set (CORS, security) are kept. */
function startStream(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // nginx would hold the stream back otherwise.
    'x-accel-buffering': 'no',
  })
  // In one write with what is told first, and yet a text of its own: joined to another, Node would keep the head for as
  // long as the stream lasts as the dozens of pieces it was made of.
  const { socket } = reply.raw
  socket?.cork()
  reply.raw.flushHeaders()
  process.nextTick(() => socket?.uncork())
}

/** A browser's EventSource cannot send a token, so it comes with a ticket. */
function isEventSource({ query, headers }: FastifyRequest): boolean {
  return (query as { ticket?: string }).ticket !== undefined && headers.accept === 'text/event-stream'
}

/** Any status but 200 would stop an EventSource for good: it is told to come back. */
function turnAway(reply: FastifyReply, { code, extras: { retryAfter = 1 } }: ProblemError): void {
  startStream(reply)
  breakOff(reply.raw, retryAfter * 1000, ERRORS[code].title)
}

function refusal(full: 'process' | 'user' | 'job' | 'workflow'): ProblemError {
  const retryAfter = FULL_RETRY_SECONDS
  return full === 'process'
    ? new ProblemError('STREAMS_FULL', 'Watch by polling the status route, or come back later', {
        retryAfter,
      })
    : new ProblemError('TOO_MANY_STREAMS', `Close some streams of this ${full}, or poll the status route`, {
        retryAfter,
      })
}
