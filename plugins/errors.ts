/** Turns every error into `application/problem+json`, including unknown paths and methods. */
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import {
  type ErrorCode,
  NO_SUCH_JOB,
  NO_SUCH_RUN,
  NO_SUCH_STAGE,
  NO_SUCH_WORKFLOW,
  ProblemError,
  type ProblemExtras,
  toProblem,
} from '../contract/errors.ts'

export interface ErrorsOptions {
  /** Whether to answer unknown paths. If false, the host application answers them. */
  catchAll: boolean
}

export default fp<ErrorsOptions>(
  async (app, { catchAll }) => {
    app.setErrorHandler(handleError)
    if (!catchAll) return
    const routes: { method: string; pattern: RegExp }[] = []
    app.addHook('onRoute', ({ method, url }) => {
      // The CORS preflight route matches every path, so it does not show that a resource exists.
      if (url === '*') return
      const pattern = new RegExp(
        `^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+').replace(/\*$/, '.*')}$`,
      )
      for (const one of [method].flat()) routes.push({ method: one, pattern })
    })

    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0] as string
      const allowed = [...new Set(routes.filter((r) => r.pattern.test(path)).map((r) => r.method))]
      // The method is allowed, so a route called `callNotFound`.
      if (allowed.length === 0 || allowed.includes(request.method)) {
        return sendProblem(reply, 'NOT_FOUND', 'There is nothing at this path; see /openapi.json')
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

/** Maps Fastify's error codes to ours. Other errors below 500 are mapped by status. */
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
    // An invalid path parameter means that the resource cannot exist: 404.
    const of = (name: string) => error.validation?.some(({ instancePath }) => instancePath === `/${name}`)
    if (of('stage')) return sendProblem(reply, 'STAGE_NOT_FOUND', NO_SUCH_STAGE)
    if (of('run_id')) return sendProblem(reply, 'RUN_NOT_FOUND', NO_SUCH_RUN)
    return of('workflow_id')
      ? sendProblem(reply, 'WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
      : sendProblem(reply, 'JOB_NOT_FOUND', NO_SUCH_JOB)
  }
  if (error.validation) {
    // For a union, keep its own fault and drop the faults of its members.
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
    // The router's message quotes the whole target, which may be long or contain a ticket.
    const detail = code === 'URI_TOO_LONG' || error.code === 'FST_ERR_BAD_URL' ? TARGET_FAULT : error.message
    return sendProblem(reply, code, detail)
  }
  request.log.error({ err: error }, 'request failed')
  return sendProblem(reply, 'INTERNAL_ERROR', 'An unexpected error occurred and was logged; try again later')
}

/** Sends the problem document of `code`, also for errors that occur before a route is found. */
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
  // Serialised here, so that a route's response schemas cannot change it.
  return reply.serializer(JSON.stringify).send(problem)
}

/**
 * Describes a fault in plain words. Instead of a pattern it gives its schema's description up to the first semicolon; for a
 * union of constants it lists them.
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

/** The schema that Ajv attaches with `verbose`. */
interface FaultySchema {
  description?: string
  anyOf?: { const?: unknown }[]
  properties?: object
}

/** The field that an Ajv message refers to, if its path ends at the enclosing object. */
function memberOf(params: Record<string, unknown>): string {
  const name = params.missingProperty ?? params.additionalProperty
  return typeof name === 'string' ? `/${name}` : ''
}
