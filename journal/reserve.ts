/**
 * What happens to a job before BullMQ is given it: its key is remembered, and it gets its priority.
 *
 * The queue is fair by user. Each job has a **turn**: one more than the highest that has started, or than its user's
 * newest, whichever is higher. A user's jobs take turns one behind the other, and those of two users share theirs. The
 * priority that BullMQ knows is the turn, counted from a base that rises: when nothing is in the queue, and by `tidyQueue`.
 */
import { uuidOf } from './ids.ts'
import { digest, type JournalKeys } from './journal.ts'
import { type Call, loadScript } from './scripts.ts'

/** BullMQ knows none higher than 2,097,151. Jobs beyond this one keep their order by the time they were added. */
const HIGHEST_PRIORITY = 2_000_000
/** How long a job may wait, and its key be remembered before its end, in seconds. */
const WAIT_TTL_SECONDS = 30 * 86_400

export interface Reservation {
  jobId: string
  userId: string
  /** Of the request, if it has a key. */
  fingerprint: string
  /** Key of what the previous release remembered. */
  claim: string
  /** Jobs that the user may have queued, 0 = any number. */
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

/** The id of the job that a key stands for. */
export function keyedJobId(deployment: readonly string[], userId: string, key: string): string {
  return uuidOf(...deployment, userId, key)
}
