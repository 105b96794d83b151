/**
 * The order of the events of one workflow, over all its jobs. It holds no events, only their places: which job, which
 * event of it. The events themselves stand in the logs of the jobs, so that the two cannot disagree; the places are
 * written by the very script calls that write the logs.
 *
 * Beside it stands the list of a user's jobs, in the order in which they were accepted.
 */
import { type EventId, FIRST_ID, LOG_CAPACITY } from '../contract/events.ts'
import type { JobData } from '../contract/job.ts'
import type { Call } from './scripts.ts'

/** Where a job belongs. */
export type JobOrigin = Pick<JobData, 'job_id' | 'stage' | 'workflow_id' | 'user_id'>

/** Places of one workflow that are kept: those of twenty full logs. */
export const ORDER_CAPACITY = 20 * LOG_CAPACITY

/**
 * Jobs of one user that are listed; older ones can still be read one by one. A list is cut by the first job of a workflow,
 * and by every so many places of it, and is longer by a few jobs in between.
 */
export const JOBS_CAPACITY = 10_000
const TRIM_EVERY = 64

const HOUR_US = 3_600_000_000
/**
 * How long order and list outlive their last news, beyond the results, in seconds: two days. It is counted from the first
 * place of an hour, and one that was put off by others may fall into the next.
 */
const IDLE_SECONDS = 2 * 86_400 + 2 * 3600

/** A workflow is its user's: two who choose the same id do not meet. UUIDs are the same in capitals. */
export function workflowName(userId: string, workflowId: string): string {
  // A job put into the queue by hand may hold anything.
  return `${String(workflowId).toLowerCase()}:${userId}`
}

/** One line of the order: `<position> <job id> <event id>`. */
export interface Place {
  position: string
  jobId: string
  eventId: EventId
}

export function parsePlace(line: string): Place {
  const [position = '', jobId = '', id = ''] = line.split(' ')
  return { position, jobId, eventId: id }
}

/** A member of the list of jobs: what can be filtered by without a look at the job. */
export interface JobMember {
  jobId: string
  stage: string
  workflowId: string
}

export function jobMember({ job_id, stage, workflow_id }: Omit<JobOrigin, 'user_id'>): string {
  return `${job_id}:${stage}:${String(workflow_id).toLowerCase()}`
}

export function parseMember(member: string): JobMember {
  const [jobId = '', stage = '', workflowId = ''] = member.split(':')
  return { jobId, stage, workflowId }
}

/** What `scripts/place-events.lua` asks for. */
export const ORDER_CONSTANTS = { FIRST_ID, HOUR_US, ORDER_CAPACITY, JOBS_CAPACITY, TRIM_EVERY }

/** What every script that places events of a job is told of it. */
export function orderCall(
  keys: { order(userId: string, workflowId: string): string; jobs(userId: string): string },
  job: JobOrigin,
  resultTtlSeconds: number,
): Call {
  return {
    order: keys.order(job.user_id, job.workflow_id),
    jobs: keys.jobs(job.user_id),
    id: job.job_id,
    member: jobMember(job),
    workflow: workflowName(job.user_id, job.workflow_id),
    placesTtl: resultTtlSeconds + IDLE_SECONDS,
  }
}
