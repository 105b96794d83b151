/**
 * Prepares a job before it is added to BullMQ: stores its Idempotency-Key and assigns its priority.
 *
 * Users take turns. Each job has a **turn**: one more than the highest turn that has started, or than its user's newest
 * turn, whichever is higher. A user's jobs take consecutive turns; jobs of different users can share a turn. BullMQ's
 * priority is the turn minus a base, which rises whenever the queue is empty and in `tidyQueue`.
 *
 * While a stage is at its limit, its first delayed job bounds the turns that count as started. Each worker delays jobs of
 * its own and starts them in order, so with several workers a job may start long before its turn.
 */
import type { Redis } from 'ioredis'
import { userDigest, uuidOf } from './ids.ts'
import type { JournalKeys } from './journal.ts'
import { loadScript } from './scripts.ts'

/** BullMQ's maximum is 2,097,151. Jobs beyond this value keep the order in which they were added. */
const HIGHEST_PRIORITY = 2_000_000
/** How long a job may wait, and how long its Idempotency-Key is remembered until the job ends, in seconds. */
const WAIT_TTL_SECONDS = 30 * 86_400

/** More than the workers that delay jobs of one stage, unless many of them have crashed. */
const FRONTS = 20

export interface Reservation {
  jobId: string
  stage: number
  userId: string
  /** For a request with a key: its fingerprint, and the digest under which the previous release would have stored the key. */
  keyed?: { fingerprint: string; claim: string } | undefined
}

export type ReserveReply =
  | ['reserved', turn: number, wasAsked: 0 | 1]
  | ['known']
  | ['mismatch']
  | ['deleted']
  | ['full']
  | ['claimed', claim: string]

const script = loadScript<(ReserveReply | ['refused', error: string])[]>('reserve', { FRONTS })

/** Reserves turns in one call; returns a reply or Redis's error for each. `most`: maximum queued jobs per user, 0 = no limit. */
export async function reserve(
  redis: Redis,
  keys: JournalKeys,
  reservations: readonly Reservation[],
  most = 0,
): Promise<(ReserveReply | Error)[]> {
  if (reservations.length === 0) return []
  const replies = await script.run(redis, {
    turns: keys.turns,
    adding: keys.adding,
    wait: keys.own('wait'),
    prioritized: keys.own('prioritized'),
    delayed: keys.own('delayed'),
    active: keys.own('active'),
    most,
    ttl: WAIT_TTL_SECONDS,
    prefix: keys.job(''),
    rest: reservations.flatMap(({ jobId, stage, userId, keyed }) => [
      jobId,
      stage,
      userDigest(userId),
      keyed?.fingerprint ?? '',
      keyed?.claim ?? '',
    ]),
  })
  return replies.map((reply) => (reply[0] === 'refused' ? refusal(reply[1]) : reply))
}

/** The same error as ioredis would make from Redis's message. */
function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

export function toPriority(turn: number): number {
  return Math.min(turn, HIGHEST_PRIORITY)
}

/** The job id that an Idempotency-Key determines. */
export function keyedJobId(deployment: readonly string[], userId: string, key: string): string {
  return uuidOf(...deployment, userId, key)
}
