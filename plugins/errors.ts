/** Every error becomes `application/problem+json`, also that of a path or a method that is not served. */
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import {
  type ErrorCode,
  NO_SUCH_JOB,
  NO_SUCH_STAGE,
  NO_SUCH_WORKFLOW,
  ProblemError,
  type ProblemExtras,
  toProblem,
} from '../contract/errors.ts'

export interface ErrorsOptions {
  /** Answer for paths that nothing serves. Without it they are left to the application around this one. */
  catchAll: boolean
}

export default fp<ErrorsOptions>(
  async (app, { catchAll }) => {
    app.setErrorHandler(handleError)
    if (!catchAll) return
    const routes: { method: string; pattern: RegExp }[] = []
    app.addHook('onRoute', ({ method, url }) => {
      // The preflight route of CORS answers everywhere and says nothing about what is there.
      if (url === '*') return
      const pattern = new RegExp(
        `^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+').replace(/\*$/, '.*')}$`,
      )
      for (const one of [method].flat()) routes.push({ method: one, pattern })
    })

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
  403: 'FORBIDDEN',
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
    if (of('stage')) return sendProblem(reply, 'STAGE_NOT_FOUND', NO_SUCH_STAGE)
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
