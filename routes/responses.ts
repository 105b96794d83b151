/** Building blocks of route schemas: headers and error responses. */
import { STATUS_CODES } from 'node:http'
import { type TSchema, Type } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import { Problem } from '../contract/errors.ts'
import { StageNumber, Uuid } from '../contract/job.ts'

/** Response headers, described for the OpenAPI document. */
const HEADERS = {
  location: { type: 'string', description: "path of the job's status route" },
  'retry-after': { type: 'integer', minimum: 0, description: 'seconds to wait before the next request' },
  etag: { type: 'string', description: 'changes with the content; send it as `If-None-Match`' },
  'idempotent-replayed': {
    type: 'string',
    enum: ['true'],
    description: 'the `Idempotency-Key` was used before; this is the job of the first request',
  },
  'preference-applied': {
    type: 'string',
    description: '`wait=<seconds>`: how long the server was willing to wait',
  },
  'content-disposition': { type: 'string', description: 'the name of the file, as an attachment' },
  'content-range': { type: 'string', description: 'the part of the file in this response' },
}

/** A JSON response with headers, for the `response` map of a route. */
export function answer<T extends TSchema>(
  description: string,
  schema: T,
  ...names: (keyof typeof HEADERS)[]
) {
  return { description, headers: headers(...names), content: { 'application/json': { schema } } }
}

/** The headers of a response. */
export function headers(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]]))
}

/** The error responses of a route, for its `response` map. Every route can answer 431. */
export function problems(...statuses: number[]) {
  const problem = (status: number) => ({
    description: STATUS_CODES[status] as string,
    ...([429, 503].includes(status) && { headers: headers('retry-after') }),
    content: { 'application/problem+json': { schema: Problem } },
  })
  return Object.fromEntries([...statuses, 431].map((status) => [status, problem(status)]))
}

export const JobParams = Type.Object({ stage: StageNumber, job_id: Uuid })

export const WorkflowParams = Type.Object({ workflow_id: Uuid })

/** Errors that every job route can return. */
export const JOB_PROBLEMS = [401, 404, 429, 503] as const
export const WORKFLOW_PROBLEMS = JOB_PROBLEMS
/** Errors of routes that take a body, or may be sent one. */
export const BODY_PROBLEMS = [400, 413, 415] as const
/** How many seconds to wait for news. */
export const Wait = Type.Optional(Type.Number({ minimum: 0, maximum: 30, description: 'seconds' }))

/** For administrators. */
export const Owner = Type.Optional(
  Type.String({ minLength: 1, description: 'for administrators: the ID of another user' }),
)

export const BEARER = [{ bearer: [] }]
/** Security of a public route: none. */
export const PUBLIC = []

/** Options of administrators' routes: they require a token on the API, but not on the admin listener. */
export interface Guarded {
  guards: onRequestHookHandler[]
}
