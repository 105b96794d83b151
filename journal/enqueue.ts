/** Accepts a job: looks up its Idempotency-Key, takes its user's next turn and adds the job to BullMQ. */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { ExecuteBody } from '../contract/catalogue.ts'
import { NotAdded } from './add-jobs.ts'
import { batched } from './batch.ts'
import { digest } from './ids.ts'
import type { JournalReader } from './reader.ts'
import { keyedJobId, type Reservation, type ReserveReply, reserve, toPriority } from './reserve.ts'

export interface EnqueueRequest {
  stage: number
  userId: string
  body: ExecuteBody
  /** The caller's Idempotency-Key. */
  idempotencyKey?: string | undefined
  /** Who sent the key, if not the user. */
  callerId?: string
  /** The job that this one retries. */
  retryOf?: string
}

/**
 * `queued`: the job is in Redis. `replayed`: it was queued earlier with this key. `mismatch`: the key was used with another
 * request. `deleted`: the key's job was deleted. `full`: the user has too many queued jobs. `unavailable`: Redis did not
 * confirm; if there is a `jobId`, the job may be queued anyway.
 */
export type EnqueueOutcome =
  | { kind: 'queued'; jobId: string }
  | { kind: 'replayed'; jobId: string }
  | { kind: 'mismatch' }
  | { kind: 'deleted' }
  | { kind: 'full' }
  | { kind: 'unavailable'; jobId?: string }

export interface EnqueuerOptions<Request extends EnqueueRequest> {
  redis: Redis
  journal: JournalReader
  /** What distinguishes this deployment from others. */
  deployment: readonly string[]
  /** Maximum queued jobs per user; 0 = no limit. */
  maxWaiting: number
  /**
   * Adds jobs to BullMQ. Returns for each job null, or an error if Redis did not confirm that it was added: a `NotAdded` if
   * the job is certainly not in the queue.
   */
  add(jobs: readonly Admitted<Request>[]): Promise<readonly (Error | null)[]>
  /** Called if Redis did not confirm. */
  failed(error: Error, jobId: string): void
}

/** A job that may be added to BullMQ. */
export interface Admitted<Request extends EnqueueRequest> {
  jobId: string
  request: Request
  priority: number
}

interface Asked<Request extends EnqueueRequest> {
  jobId: string
  request: Request
  keyed?: Reservation['keyed']
}

/** The key was stored by the previous release. */
interface Claimed {
  kind: 'claimed'
  claim: string
}

/** How many jobs share their round trips. This limits how long other commands wait for Redis. */
const JOBS_PER_TURN = 50

export function enqueuer<Request extends EnqueueRequest>(
  options: EnqueuerOptions<Request>,
): (request: Request) => Promise<EnqueueOutcome> {
  const { redis, journal, deployment, maxWaiting } = options
  const { keys } = journal
  const admit = batched(JOBS_PER_TURN, admitAll)

  return async (request) => {
    const { idempotencyKey: key, callerId = request.userId } = request
    if (key === undefined) return enqueue({ jobId: randomUUID(), request })
    const keyed = { fingerprint: fingerprint(request), claim: digest(`${callerId}\n${key}`) }
    return enqueue({ jobId: keyedJobId(deployment, callerId, key), request, keyed })
  }

  async function enqueue(asked: Asked<Request>): Promise<EnqueueOutcome> {
    try {
      const outcome = await admit(asked)
      return outcome.kind === 'claimed' ? await honour(JSON.parse(outcome.claim), asked.request) : outcome
    } catch (error) {
      // No turn was reserved, so nothing was added.
      return unavailable(error as Error, asked.jobId, false)
    }
  }

  /** Reserves the jobs' turns, then adds them. */
  async function admitAll(asked: Asked<Request>[]): Promise<(EnqueueOutcome | Claimed)[]> {
    const reservations = asked.map(({ jobId, request: { stage, userId }, keyed }) => ({
      jobId,
      stage,
      userId,
      keyed,
    }))
    const replies = await reserve(redis, keys, reservations, maxWaiting)
    const jobs: Admitted<Request>[] = []
    for (const [i, { jobId, request }] of asked.entries()) {
      const reply = replies[i]
      if (Array.isArray(reply) && reply[0] === 'reserved')
        jobs.push({ jobId, request, priority: toPriority(reply[1]) })
    }
    const faults = (await options.add(jobs)).values()
    return asked.map(({ jobId }, i) => {
      const reply = replies[i] as ReserveReply | Error
      if (reply instanceof Error) return unavailable(reply, jobId, false)
      switch (reply[0]) {
        case 'reserved':
          return added(jobId, faults.next().value ?? null, reply[2] === 1)
        case 'known':
          return { kind: 'replayed', jobId }
        case 'claimed':
          return { kind: 'claimed', claim: reply[1] }
        default:
          return { kind: reply[0] }
      }
    })
  }

  function added(jobId: string, fault: Error | null, wasAsked: boolean): EnqueueOutcome {
    if (fault) return unavailable(fault, jobId, !(fault instanceof NotAdded))
    return { kind: wasAsked ? 'replayed' : 'queued', jobId }
  }

  function unavailable(error: Error, jobId: string, mayExist: boolean): EnqueueOutcome {
    options.failed(error, jobId)
    return mayExist ? { kind: 'unavailable', jobId } : { kind: 'unavailable' }
  }

  /** Honours a key that the previous release stored. That release kept keys for 24 h, and may not have added the job. */
  async function honour(claim: EarlierClaim, request: Request): Promise<EnqueueOutcome> {
    const jobId = claim.job_id
    if (claim.fingerprint !== earlierFingerprint(request)) return { kind: 'mismatch' }
    try {
      if (claim.added || (await journal.snapshot(jobId)) !== null) return { kind: 'replayed', jobId }
    } catch (error) {
      return unavailable(error as Error, jobId, true)
    }
    const outcome = await enqueue({ jobId, request })
    return outcome.kind === 'queued' ? { kind: 'replayed', jobId } : outcome
  }
}

interface EarlierClaim {
  job_id: string
  fingerprint: string
  added?: true
}

/** A digest of a request that does not depend on the order of fields. */
function fingerprint({ stage, body, retryOf: retry_of }: EnqueueRequest): string {
  const { workflow_id, research_question = null, inputs = {} } = body
  const asked = { stage, workflow_id: workflow_id.toLowerCase(), research_question, inputs, retry_of }
  return digest(JSON.stringify(asked, sortedKeys))
}

function earlierFingerprint({ stage, body }: EnqueueRequest): string {
  return digest(JSON.stringify({ stage, body }, sortedKeys))
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
