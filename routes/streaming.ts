/** Shared by the event routes: choose the form, open a stream, refuse a client. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, ProblemError } from '../contract/errors.ts'
import type { Caller } from '../plugins/auth.ts'
import type { StreamRequest } from '../plugins/streams.ts'
import { breakOff } from '../watch/frame.ts'
import { preferredForm } from './accept.ts'

/** Retry-After for a client over a stream cap. */
const FULL_RETRY_SECONDS = 30

/**
 * Serialises without the response schema. The schema of an event is a union, and a compiled serializer would check each
 * event of a page against one alternative after the other.
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

/** The last event that the client has: browsers send the header, polyfills `lastEventId`, other programs `after`. */
export function cursorOf({
  headers,
  query,
}: {
  headers: Resuming['headers']
  query: Resuming['query']
}): string {
  return headers['last-event-id'] || query.lastEventId || query.after || ''
}

export interface Resuming {
  headers: { 'last-event-id'?: string }
  query: { lastEventId?: string; after?: string }
}

/**
 * Accepts a ticket that `check` confirms, or a valid `Authorization` header. With a valid header, an invalid ticket does
 * not matter.
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

/** Hands the connection over to an event stream. Throws 429 or 503 if a cap is reached. */
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

export interface NewsPage {
  events: unknown[]
  gap?: unknown
  finished?: boolean
}

/** Returns a page; waits up to `waitMs` for the first event. */
export async function pageWithNews<P extends NewsPage>(
  read: () => Promise<P>,
  waitMs: number,
  news: (ms: number) => Promise<void>,
): Promise<P> {
  const page = await read()
  if (waitMs === 0 || page.events.length > 0 || page.gap || page.finished) return page
  await news(waitMs)
  return read()
}

/** Keeps an EventSource reconnecting after a temporary error. */
export function handleStreamError(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const passing = error instanceof ProblemError && error.extras.retryAfter !== undefined
  return passing && isEventSource(request) ? turnAway(reply, error) : reply.send(error)
}

/** Builds the response head, including headers set by hooks (CORS, security). It is sent with the first line. */
function startStream(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // Otherwise nginx buffers the stream.
    'x-accel-buffering': 'no',
  })
  // Sent in one write with the first lines, but as a separate string: concatenated, Node would keep the dozens of pieces
  // of the head in memory for as long as the stream lasts.
  const { socket } = reply.raw
  socket?.cork()
  reply.raw.flushHeaders()
  process.nextTick(() => socket?.uncork())
}

/** A browser's EventSource cannot send a token, so it uses a ticket. */
function isEventSource({ query, headers }: FastifyRequest): boolean {
  return (query as { ticket?: string }).ticket !== undefined && headers.accept === 'text/event-stream'
}

/** Makes an EventSource reconnect later. Any status other than 200 would stop it for good. */
function turnAway(reply: FastifyReply, { code, extras: { retryAfter = 1 } }: ProblemError): void {
  startStream(reply)
  breakOff(reply.raw, retryAfter * 1000, ERRORS[code].title)
}

function refusal(full: 'process' | 'user' | 'job' | 'workflow'): ProblemError {
  const retryAfter = FULL_RETRY_SECONDS
  return full === 'process'
    ? new ProblemError('STREAMS_FULL', 'Poll the status route instead, or try again later', {
        retryAfter,
      })
    : new ProblemError('TOO_MANY_STREAMS', `Close some streams of this ${full}, or poll the status route`, {
        retryAfter,
      })
}
