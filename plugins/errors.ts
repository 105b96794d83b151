/** Every error becomes `application/problem+json`, those of the router and of the HTTP parser included. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import {
  ERRORS,
  type ErrorCode,
  NO_SUCH_JOB,
  NO_SUCH_WORKFLOW,
  ProblemError,
  type ProblemExtras,
  toProblem,
} from '../contract/errors.ts'

export default fp(
  async (app) => {
    const routes: { method: string; pattern: RegExp }[] = []
    app.addHook('onRoute', ({ method, url }) => {
      // The preflight route of CORS answers everywhere and says nothing about what is there.
      if (url === '*') return
      const pattern = new RegExp(
        `^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+').replace(/\*$/, '.*')}$`,
      )
      for (const one of [method].flat()) routes.push({ method: one, pattern })
    })

    // Node's own answers to these two would have no body: the first is ours, the other may be passed over.
    app.addHook('onRequest', ({ raw, headers }, _reply, done) => {
      if (headers.host === undefined && raw.httpVersion === '1.1')
        done(new ProblemError('BAD_REQUEST', 'Send a Host header'))
      else done()
    })
    app.server.on('checkExpectation', (request, response) => app.routing(request, response))

    app.setErrorHandler(handleError)
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0] as string
      const allowed = [...new Set(routes.filter((r) => r.pattern.test(path)).map((r) => r.method))]
      // The method is right, and a route that finds nothing has come here.
      if (allowed.length === 0 || allowed.includes(request.method)) {
        return sendProblem(reply, 'NOT_FOUND', 'Nothing is served under this path; see /openapi.json')
      }
      const allow = allowed.sort().join(', ')
      const detail = `${request.method} is not supported here; use ${allow}`
      return sendProblem(reply, 'METHOD_NOT_ALLOWED', detail, { headers: { allow } })
    })
  },
  { name: 'errors' },
)

const MAX_ERRORS = 20
const TARGET_FAULT = 'The request target is too long or not a valid URL; see /openapi.json for the paths'

/** Codes of Fastify's own errors; anything else below 500 goes by its status. */
const BY_CODE: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
}

const BY_STATUS: Record<number, ErrorCode> = {
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'URI_TOO_LONG',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  416: 'RANGE_NOT_SATISFIABLE',
  417: 'EXPECTATION_FAILED',
  429: 'RATE_LIMITED',
  431: 'HEADERS_TOO_LARGE',
}

export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof ProblemError) return sendProblem(reply, error.code, error.message, error.extras)
  if (error.validation && error.validationContext === 'params') {
    // A path that cannot exist is not found, whatever makes it impossible.
    const of = (name: string) => error.validation?.some(({ instancePath }) => instancePath === `/${name}`)
    if (of('stage'))
      return sendProblem(
        reply,
        'STAGE_NOT_FOUND',
        'The stages are numbered 1 to 20; see /api/workflow/stages',
      )
    return of('workflow_id')
      ? sendProblem(reply, 'WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
      : sendProblem(reply, 'JOB_NOT_FOUND', NO_SUCH_JOB)
  }
  if (error.validation) {
    // What a union has against a value, it says itself, once.
    const faults = error.validation.filter(
      ({ keyword, schemaPath }) => keyword !== 'const' || !schemaPath.includes('/anyOf/'),
    )
    const errors = faults.slice(0, MAX_ERRORS).map((fault) => ({
      path: `${error.validationContext}${fault.instancePath}${memberOf(fault.params)}`,
      message: inWords(fault, error.validationContext),
    }))
    const detail = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
    return sendProblem(reply, 'VALIDATION_FAILED', detail, { errors })
  }
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500) {
    const code = BY_CODE[error.code] ?? BY_STATUS[status] ?? 'BAD_REQUEST'
    // The router quotes the whole target back, which may be long or hold a ticket.
    const detail = code === 'URI_TOO_LONG' || error.code === 'FST_ERR_BAD_URL' ? TARGET_FAULT : error.message
    return sendProblem(reply, code, detail)
  }
  request.log.error({ err: error }, 'request failed')
  return sendProblem(reply, 'INTERNAL_ERROR', 'The fault is on this side and was logged; try again later')
}

/** Sends the problem document of `code`. Also for what Fastify reports before it has a route. */
function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  extras: ProblemExtras = {},
): FastifyReply {
  const problem = toProblem(code, detail, extras)
  if (extras.headers) reply.headers(extras.headers)
  if (extras.retryAfter !== undefined) reply.header('retry-after', extras.retryAfter)
  reply.code(problem.status).type('application/problem+json')
  // Serialised here: the answer of an error does not depend on a route's response schemas.
  return reply.serializer(JSON.stringify).send(problem)
}

/**
 * For Node's `clientError`: what the HTTP parser refuses has no request and no reply, only a socket. `headersFor` gives
 * the headers for the page of some origin, or, when that is not known, for any page: the answer tells nothing of anybody.
 */
export function answerBrokenRequest(
  error: Error & { code?: string; rawPacket?: unknown },
  socket: Socket,
  headersFor: (origin: string | undefined | null) => Record<string, string>,
): void {
  // Bytes behind a request whose answer is under way: a second answer would be written into the first.
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent
  if (error.code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy()
  const code: ErrorCode =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'HEADERS_TOO_LARGE'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'REQUEST_TIMEOUT'
        : 'BAD_REQUEST'
  const { status, title } = ERRORS[code]
  const body = JSON.stringify(toProblem(code, 'The bytes received are no HTTP request this server reads'))
  // Only the last packet is here: the header may have been in one before it.
  const origin = /^origin:[ \t]*(\S+)[ \t]*\r?$/im.exec(textOf(error.rawPacket))?.[1]
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...headersFor(origin ?? null),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
}

function textOf(packet: unknown): string {
  return Buffer.isBuffer(packet) ? packet.toString('latin1') : ''
}

/**
 * A pattern means nothing to who reads an error: the schema's description, up to its first semicolon, says it. A union
 * of constants says which there are.
 */
function inWords(
  { keyword, message = 'is not valid', ...fault }: FastifySchemaValidationError,
  context: string | undefined,
): string {
  const { description, anyOf, properties } = (fault as { parentSchema?: FaultySchema }).parentSchema ?? {}
  if (keyword === 'additionalProperties' && context === 'querystring') {
    const known = Object.keys(properties ?? {}).join(', ')
    return `is not a parameter of this route, which takes ${known || 'none'}`
  }
  if (keyword === 'pattern' && description) return `must be ${description.split(';', 1)[0]}`
  const constants = anyOf?.map((one) => one.const) ?? [undefined]
  if (keyword === 'anyOf' && !constants.includes(undefined)) return `must be one of ${constants.join(', ')}`
  return message
}

/** What Ajv gives with `verbose`. */
interface FaultySchema {
  description?: string
  anyOf?: { const?: unknown }[]
  properties?: object
}

/** The field an Ajv message is about when its path stops at the object around it. */
function memberOf(params: Record<string, unknown>): string {
  const name = params.missingProperty ?? params.additionalProperty
  return typeof name === 'string' ? `/${name}` : ''
}
