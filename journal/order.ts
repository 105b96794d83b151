/**
 * The order of all events of a workflow, across its jobs. Each entry is a **place**: a position, the job and the event id.
 * The events themselves are in the jobs' logs. The same script call writes both, so they cannot disagree.
 *
 * The same scripts maintain the list of a user's jobs, in order of acceptance.
 */
import { type EventId, FIRST_ID, LOG_CAPACITY } from '../contract/events.ts'
import type { JobData } from '../contract/job.ts'
import { userDigest } from './ids.ts'
import type { Call } from './scripts.ts'

/** A job's id, owner, workflow and stage. */
export type JobOrigin = Pick<JobData, 'job_id' | 'stage' | 'workflow_id' | 'user_id'>

/** Maximum places kept per workflow: twenty full logs. */
export const ORDER_CAPACITY = 20 * LOG_CAPACITY

/**
 * Maximum jobs listed per user; older ones can still be read by id. The list is trimmed at the first job of a workflow and
 * after every `TRIM_EVERY` places, so it can briefly be a few jobs longer.
 */
export const JOBS_CAPACITY = 10_000
const TRIM_EVERY = 64

const HOUR_US = 3_600_000_000
/**
 * How long order and list are kept after the last event, in addition to the results' time to live: two days, in seconds.
 * The expiry is renewed once an hour, hence the two extra hours.
 */
export const IDLE_SECONDS = 2 * 86_400 + 2 * 3600

/** A workflow belongs to its user: another user's workflow with the same id is a different one. UUIDs ignore case. */
export function workflowName(userId: string, workflowId: string): string {
  // A manually queued job may contain anything.
  return `${String(workflowId).toLowerCase()}:${userDigest(userId)}`
}

/** One entry of the order: `<position> <id of job or run> <event id>`. */
export interface Place {
  position: string
  jobId: string
  eventId: EventId
}

export function parsePlace(line: string): Place {
  const [position = '', jobId = '', id = ''] = line.split(' ')
  return { position, jobId, eventId: id }
}

/** The id of an event in the log of a run. `number` counts from 1. The id is as long as the id of a job's event. */
export function runEventId(number: number): string {
  return `r${String(number).padStart(11, '0')}`
}

export function isOfRun(eventId: string): boolean {
  return eventId.startsWith('r')
}

/** A member of a user's job list. It contains what a list is filtered by without reading the job. */
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

/** Constants for `scripts/place-events.lua`. */
export const ORDER_CONSTANTS = { FIRST_ID, HOUR_US, ORDER_CAPACITY, JOBS_CAPACITY, TRIM_EVERY }

/** The keys and arguments that scripts with place-events.lua share. */
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
    placesTtl: placesTtl(resultTtlSeconds),
  }
}

/** Time to live of orders and lists, in seconds. */
export function placesTtl(resultTtlSeconds: number): number {
  return resultTtlSeconds + IDLE_SECONDS
}
