/**
 * Prepares a job before it is added to BullMQ: stores its key and assigns its priority.
 *
 * The queue is fair by user. Each job has a **turn**: one more than the highest turn that has started, or than its user's
 * newest turn, whichever is higher. A user's jobs take consecutive turns; jobs of different users can share a turn. BullMQ's
 * priority is the turn minus a base, which rises whenever the queue is empty and in `tidyQueue`.
 */
import { digest, uuidOf } from './ids.ts'
import type { JournalKeys } from './journal.ts'
import { type Call, loadScript } from './scripts.ts'

/** BullMQ's maximum is 2,097,151. Jobs beyond this value keep the order in which they were added. */
const HIGHEST_PRIORITY = 2_000_000
/** How long a job may wait, and how long its key is remembered before the job ends, in seconds. */
const WAIT_TTL_SECONDS = 30 * 86_400

export interface Reservation {
  jobId: string
  userId: string
  /** Fingerprint of the request, if it has a key. */
  fingerprint: string
  /** Redis key under which the previous release stored the Idempotency-Key. */
  claim: string
  /** Maximum queued jobs of the user; 0 = no limit. */
  most: number
}

export type ReserveReply =
  | ['reserved', turn: number, wasAsked: 0 | 1]
  | ['known']
  | ['mismatch']
  | ['deleted']
  | ['full']
  | ['claimed', claim: string]

export const reserve = loadScript<ReserveReply>('reserve')

export function reserveCall(keys: JournalKeys, reservation: Reservation): Call {
  const { jobId, userId, fingerprint, claim, most } = reservation
  return {
    ...{ turns: keys.turns, queued: keys.queued(userId), adding: keys.adding },
    ...{ asked: keys.asked(jobId), claim, job: keys.job(jobId), outcome: keys.end(jobId) },
    wait: keys.own('wait'),
    prioritized: keys.own('prioritized'),
    delayed: keys.own('delayed'),
    active: keys.own('active'),
    ...{ id: jobId, user: digest(userId), fingerprint, most, ttl: WAIT_TTL_SECONDS },
    jobPrefix: keys.job(''),
  }
}

export function toPriority(turn: number): number {
  return Math.min(turn, HIGHEST_PRIORITY)
}

/** The job id that an Idempotency-Key determines. */
export function keyedJobId(deployment: readonly string[], userId: string, key: string): string {
  return uuidOf(...deployment, userId, key)
}
