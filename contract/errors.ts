/**
 * Every error that the API returns, one row per code. `title` names the kind of error; the `detail` passed when it is
 * thrown says what to do about it.
 */
import { type Static, Type } from '@sinclair/typebox'

export const ERRORS = {
  VALIDATION_FAILED: { status: 400, title: 'The request does not match its schema' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be read' },
  UNAUTHENTICATED: { status: 401, title: 'Authentication is required' },
  INVALID_TOKEN: { status: 401, title: 'The bearer token is not valid' },
  TOKEN_EXPIRED: { status: 401, title: 'The bearer token has expired' },
  INVALID_TICKET: { status: 401, title: 'The ticket is not valid for these events' },
  TICKET_EXPIRED: { status: 401, title: 'The ticket has expired' },
  FORBIDDEN: { status: 403, title: 'The token does not allow this' },
  NOT_FOUND: { status: 404, title: 'There is no such resource' },
  STAGE_NOT_FOUND: { status: 404, title: 'There is no such stage' },
  JOB_NOT_FOUND: { status: 404, title: 'There is no such job' },
  WORKFLOW_NOT_FOUND: { status: 404, title: 'There is no such workflow' },
  RUN_NOT_FOUND: { status: 404, title: 'There is no such run' },
  ARTIFACT_NOT_FOUND: { status: 404, title: 'The job has no such artifact' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not supported here' },
  NOT_ACCEPTABLE: { status: 406, title: 'None of the accepted media types can be produced' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  JOB_FINISHED: { status: 409, title: 'The job has already finished' },
  JOB_NOT_FINISHED: { status: 409, title: 'The job has not finished' },
  NOT_RETRYABLE: { status: 409, title: 'The job cannot be retried' },
  RUN_ACTIVE: { status: 409, title: 'Another run of the workflow is under way' },
  RUN_FINISHED: { status: 409, title: 'The run has already finished' },
  CONTENT_CHANGED: { status: 409, title: 'The result of the step has changed since it was shown' },
  NOT_WAITING: { status: 409, title: 'The step is not waiting for a decision' },
  DECIDED: { status: 409, title: 'The step already has the opposite decision' },
  JOB_DELETED: { status: 410, title: 'The job was deleted' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The request target is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The request body must be application/json' },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'The requested range is not in the file' },
  EXPECTATION_FAILED: { status: 417, title: 'The Expect header cannot be met' },
  STAGE_NEEDS: { status: 422, title: 'A stage needs another stage that has not completed' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used with another request' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  TOO_MANY_JOBS: { status: 429, title: 'Too many queued jobs' },
  TOO_MANY_STREAMS: { status: 429, title: 'Too many open event streams' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large' },
  INTERNAL_ERROR: { status: 500, title: 'The server could not handle the request' },
  STAGE_SERVICE_ERROR: { status: 502, title: 'The stage service did not give a usable answer' },
  QUEUE_UNAVAILABLE: { status: 503, title: 'The queue is not available right now' },
  AUTH_UNAVAILABLE: { status: 503, title: "The token issuer's keys cannot be fetched right now" },
  STAGE_SERVICE_UNAVAILABLE: { status: 503, title: 'The stage service cannot be reached right now' },
  STREAMS_FULL: { status: 503, title: 'This process cannot open more event streams' },
} as const

export type ErrorCode = keyof typeof ERRORS

/** RFC 9457 problem details: the body of every error response, as `application/problem+json`. */
export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String() }, { title: 'Fault' })),
    ),
    job_id: Type.Optional(Type.String({ format: 'uuid' })),
  },
  { title: 'Problem' },
)
export type Problem = Static<typeof Problem>

/** Optional parts of an error. */
export interface ProblemExtras {
  errors?: { path: string; message: string }[]
  /** The job that may or may not exist after a 503. */
  job_id?: string
  /** Seconds, sent as Retry-After. */
  retryAfter?: number
  headers?: Record<string, string>
}

/** Thrown anywhere behind a route; the error handler turns it into `application/problem+json`. */
export class ProblemError extends Error {
  readonly code: ErrorCode
  readonly extras: ProblemExtras

  constructor(code: ErrorCode, detail: string, extras: ProblemExtras = {}) {
    super(detail)
    this.name = 'ProblemError'
    this.code = code
    this.extras = extras
  }

  get statusCode(): number {
    return ERRORS[this.code].status
  }
}

/** The 401 for a token or ticket, with the challenge that RFC 6750 requires. */
export function unauthenticated(
  code: 'UNAUTHENTICATED' | 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'INVALID_TICKET' | 'TICKET_EXPIRED',
  detail: string,
): ProblemError {
  const challenge = code === 'UNAUTHENTICATED' ? 'Bearer' : 'Bearer error="invalid_token"'
  return new ProblemError(code, detail, { headers: { 'www-authenticate': challenge } })
}

/** The body for `code`. The client reads `detail`, so it must not mention internals. */
export function toProblem(code: ErrorCode, detail: string, extras: ProblemExtras = {}): Problem {
  const { status, title } = ERRORS[code]
  const problem: Problem = {
    type: `urn:stagecast:problem:${code.toLowerCase()}`,
    title,
    status,
    detail,
    code,
  }
  if (extras.errors) problem.errors = extras.errors
  if (extras.job_id) problem.job_id = extras.job_id
  return problem
}

/** The same text for every job that the caller cannot see, so that it reveals nothing about other users' jobs. */
export const NO_SUCH_JOB = 'This stage has no such job, or the job is not yours, or its result has expired'

export const NO_SUCH_STAGE = 'There is no stage with this number; GET /api/workflow/stages lists all stages'

export const NO_SUCH_RUN = 'There is no such run of this workflow, or it is not yours, or it has expired'

/** The same text for every workflow that the caller cannot see. */
export const NO_SUCH_WORKFLOW = 'You have no jobs in this workflow, or it has expired'

const AWAY = 'The queue cannot be reached. Nothing was lost; try again shortly'
/** Redis answers, but rejects the command: it is full, read-only, or its permissions changed. */
export const REFUSED = 'The queue rejects requests right now; the log of the API says why. Try again later'

/** The 503 for any request that needs Redis while Redis is unavailable. */
export function unavailable(extras: { job_id?: string } = {}, detail = AWAY): ProblemError {
  return new ProblemError('QUEUE_UNAVAILABLE', detail, { retryAfter: 2, ...extras })
}
