/** Error answers in the contract's shape: a status and `{ "detail": { "code", "message" } }`. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ServiceError } from '../../contract/service.ts'
import { StageFailure } from './stage.ts'

/** Fastify's error codes that a caller can cause, with our code and message. */
const KNOWN: Readonly<Record<string, [code: string, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The request body is too large; send 32 MiB at most.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_JSON', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_JSON', 'The body is empty; send a JSON object.'],
  FST_ERR_BAD_URL: ['BAD_URL', 'The path is not a valid URL path; check its percent-encoding.'],
}

export function installErrors(app: FastifyInstance): void {
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((_request, reply) => {
    return send(reply, new StageFailure(404, 'NOT_FOUND', 'Unknown route; see the service contract.'))
  })
}

/** Also Fastify's `frameworkErrors`, for failures before routing. */
export function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = asFailure(error)
  if (failure.status >= 500) request.log.error(inside(error), 'request failed')
  return send(reply, failure)
}

/** The failure that the caller gets for an error. Only a `StageFailure` passes its message on. */
export function asFailure(error: unknown): StageFailure {
  if (error instanceof StageFailure) return error
  const { code = '', statusCode = 500, validation } = error as Partial<FastifyError>
  if (validation) {
    const [first] = validation
    const where = `${(error as FastifyError).validationContext ?? 'request'}${first?.instancePath ?? ''}`
    return new StageFailure(422, 'INVALID_REQUEST', `${where} ${first?.message ?? 'is not valid'}.`)
  }
  const known = KNOWN[code]
  if (known) return new StageFailure(statusCode, known[0], known[1])
  if (statusCode >= 400 && statusCode < 500) {
    return new StageFailure(
      statusCode,
      'BAD_REQUEST',
      'The request could not be read; check its headers and body.',
    )
  }
  return new StageFailure(
    500,
    'INTERNAL_ERROR',
    'An internal error occurred in the stage service; its log says where.',
  )
}

/** An error for the log: its kind and place. The message is left out, because it may quote the question. */
export function inside(error: unknown): { error: string; at: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const { code } = error as NodeJS.ErrnoException
  return {
    error: code ? `${error.name} ${code}` : error.name,
    at: frames.slice(0, 8).map((line) => line.trim()),
  }
}

export function errorBody({ code, message }: StageFailure): ServiceError {
  return { detail: { code, message } }
}

function send(reply: FastifyReply, failure: StageFailure): FastifyReply {
  if (failure.status === 503) reply.header('retry-after', '1')
  return reply.code(failure.status).type('application/json').send(errorBody(failure))
}
