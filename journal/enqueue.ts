/** Accepts a job: looks up its key, takes its user's next turn and adds the job to BullMQ. */
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
  /** Owner of the key, if not the user. */
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
  /** Adds the job to BullMQ; throws `NotAdded` if it was certainly not added. */
  add(jobId: string, request: Request, priority: number): Promise<void>
  /** Called if Redis did not confirm. */
  failed(error: Error, jobId: string): void
}

const RESERVATIONS_PER_TURN = 50

export function enqueuer<Request extends EnqueueRequest>(
  options: EnqueuerOptions<Request>,
): (request: Request) => Promise<EnqueueOutcome> {
  const { redis, journal, deployment, maxWaiting } = options
  const { keys } = journal
  const ask = batched<Reservation, ReserveReply>(RESERVATIONS_PER_TURN, (reservations) =>
    reserve(redis, keys, reservations, maxWaiting),
  )

  return async (request) => {
    const { idempotencyKey: key, callerId = request.userId } = request
    if (key === undefined) return admit(randomUUID(), request)
    const claim = keys.own('idem', digest(`${callerId}\n${key}`))
    return admit(keyedJobId(deployment, callerId, key), request, { fingerprint: fingerprint(request), claim })
  }

  async function admit(
    jobId: string,
    request: Request,
    keyed?: Reservation['keyed'],
  ): Promise<EnqueueOutcome> {
    const reply = await ask({ jobId, userId: request.userId, keyed }).catch((error: Error) => error)
    // Nothing was added.
    if (reply instanceof Error) return unavailable(reply, jobId, false)
    switch (reply[0]) {
      case 'reserved':
        return add(jobId, request, reply[1], reply[2] === 1 ? 'replayed' : 'queued')
      case 'known':
        return { kind: 'replayed', jobId }
      case 'claimed':
        return honour(JSON.parse(reply[1]), request)
      default:
        return { kind: reply[0] }
    }
  }

  async function add(
    jobId: string,
    request: Request,
    turn: number,
    kind: 'queued' | 'replayed',
  ): Promise<EnqueueOutcome> {
    try {
      await options.add(jobId, request, toPriority(turn))
      return { kind, jobId }
    } catch (error) {
      return unavailable(error as Error, jobId, !(error instanceof NotAdded))
    }
  }

  function unavailable(error: Error, jobId: string, mayExist: boolean): EnqueueOutcome {
    options.failed(error, jobId)
    return mayExist ? { kind: 'unavailable', jobId } : { kind: 'unavailable' }
  }

  /** Honours a key stored by the previous release, for 24 h. That release may not have added the job. */
  async function honour(claim: EarlierClaim, request: Request): Promise<EnqueueOutcome> {
    const jobId = claim.job_id
    if (claim.fingerprint !== earlierFingerprint(request)) return { kind: 'mismatch' }
    try {
      if (claim.added || (await journal.snapshot(jobId)) !== null) return { kind: 'replayed', jobId }
    } catch (error) {
      return unavailable(error as Error, jobId, true)
    }
    const outcome = await admit(jobId, request)
    return outcome.kind === 'queued' ? { kind: 'replayed', jobId } : outcome
  }
}

interface EarlierClaim {
  job_id: string
  fingerprint: string
  added?: true
}

/** Equal for equal requests, regardless of the order of fields. */
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
