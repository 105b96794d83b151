/** Pieces of route schemas: headers, and the problem answers of a route. */
import { STATUS_CODES } from 'node:http'
import { type TSchema, Type } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import { Problem } from '../contract/errors.ts'
import { StageNumber, Uuid } from '../contract/job.ts'

/** Headers of answers: what they mean, for the document. */
const HEADERS = {
  location: { type: 'string', description: 'path of the status route of the job' },
  'retry-after': { type: 'integer', minimum: 0, description: 'seconds after which to ask again' },
  etag: { type: 'string', description: 'follows the content: give it back as `If-None-Match`' },
  'idempotent-replayed': {
    type: 'string',
    enum: ['true'],
    description: 'the `Idempotency-Key` was known: the job is that of the first request',
  },
  'preference-applied': {
    type: 'string',
    description: '`wait=<seconds>`: for how long the answer would have been held back',
  },
  'content-disposition': { type: 'string', description: 'the name of the file, as an attachment' },
  'content-range': { type: 'string', description: 'which part of the file this is' },
}

/** A JSON answer with headers, for the `response` map of a route. */
export function answer<T extends TSchema>(
  description: string,
  schema: T,
  ...names: (keyof typeof HEADERS)[]
) {
  return { description, headers: headers(...names), content: { 'application/json': { schema } } }
}

/** The headers of an answer. */
export function headers(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]]))
}

/** The error answers of a route, for its `response` map. Headers that are too large are one everywhere. */
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

/** Every route of a job can answer these. */
export const JOB_PROBLEMS = [401, 404, 429, 503] as const
export const WORKFLOW_PROBLEMS = JOB_PROBLEMS
/** A route that takes a body, or is sent one that it does not need. */
export const BODY_PROBLEMS = [400, 413, 415] as const
/** How long an answer may be held back until there are news, in seconds. */
export const Wait = Type.Optional(Type.Number({ minimum: 0, maximum: 30, description: 'seconds' }))

export const BEARER = [{ bearer: [] }]
/** For everybody. */
export const PUBLIC = []

/** Routes for administrators, which ask for a token on the API and none on the admin listener. */
export interface Guarded {
  guards: onRequestHookHandler[]
}
