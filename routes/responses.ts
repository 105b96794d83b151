/** Pieces of route schemas: named components, and the problem answers of a route. */
import { STATUS_CODES } from 'node:http'
import { type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { Problem } from '../stages/errors.ts'
import { StageNumber, Uuid } from '../stages/job.ts'

/** A reference to a schema that the application knows by its `$id`. */
export function named<T extends TSchema>(schema: T): TUnsafe<Static<T>> {
  return Type.Unsafe({ $ref: `${schema.$id}#` })
}

/** The error answers of a route, for its `response` map. */
export function problems(...statuses: number[]) {
  const answer = (status: number) => ({
    description: STATUS_CODES[status] as string,
    content: { 'application/problem+json': { schema: named(Problem) } },
  })
  return Object.fromEntries(statuses.map((status) => [status, answer(status)]))
}

export const StageParams = Type.Object({ stage: StageNumber })
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
