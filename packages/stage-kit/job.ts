/** Turns a request into a job: one ID, one digest. */
import { createHash } from 'node:crypto'
import type { StageRequest } from '../../contract/service.ts'
import { StageFailure } from './stage.ts'

export interface Job {
  id: string
  stage: number
  request: StageRequest
  /** Shows whether a repeat is the same request, without storing the request. */
  digest: string
}

/** Stricter than the `uuid` format, which also accepts `urn:uuid:`: the ID becomes a folder name. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const MAX_DEPTH = 64

/** The ID in lower case, or undefined if it is not a UUID. */
export function jobIdOf(text: string): string | undefined {
  const id = text.toLowerCase()
  return UUID.test(id) ? id : undefined
}

/** Throws 400 if the ID is not a UUID or if `key`, the Idempotency-Key, names another job than the body. */
export function toJob(stage: number, request: StageRequest, key: string | undefined): Job {
  const id = jobIdOf(request.job_id)
  if (!id) throw new StageFailure(400, 'INVALID_JOB_ID', 'job_id must be a UUID.')
  if (key !== undefined && key.toLowerCase() !== id) {
    throw new StageFailure(
      400,
      'IDEMPOTENCY_KEY_MISMATCH',
      'Idempotency-Key and job_id must be the same UUID.',
    )
  }
  const { workflow_id, research_question, user_id, inputs } = request
  const asked = canonical({ stage, workflow_id, research_question, user_id, inputs }, 0)
  return { id, stage, request, digest: createHash('sha256').update(asked).digest('hex') }
}

/** The same text for equal JSON values, whatever the order of fields. */
function canonical(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) {
    throw new StageFailure(
      422,
      'INVALID_REQUEST',
      `body/inputs is nested more than ${MAX_DEPTH} levels deep.`,
    )
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item, depth + 1)}`).join(',')}}`
}
