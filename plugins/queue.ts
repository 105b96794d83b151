/** Puts jobs into the queue. It answers soon and never lies: what happened is one of four outcomes. */
import { createHash, randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import type { ExecuteBody } from '../stages/catalogue.ts'
import type { JobData } from '../stages/job.ts'
import { QUEUE_NAME } from '../stages/journal.ts'
import { logOncePerSecond } from './redis.ts'

export interface QueuePluginOptions {
  prefix: string
  attempts: number
  backoffMs: number
  keepCompleted: number
  keepFailed: number
}

export interface EnqueueRequest {
  stage: number
  userId: string
  body: ExecuteBody
  /** The caller's Idempotency-Key. */
  idempotencyKey?: string | undefined
}

/**
 * `queued`: the job is in Redis. `replayed`: it already was, by this key. `mismatch`: the key belongs to another
 * request. `unavailable`: Redis did not confirm; with a `job_id` the job may be queued all the same.
 */
export type EnqueueOutcome =
  | { kind: 'queued' | 'replayed'; jobId: string }
  | { kind: 'mismatch' }
  | { kind: 'unavailable'; jobId?: string }

declare module 'fastify' {
  interface FastifyInstance {
    queue: {
      enqueue(request: EnqueueRequest): Promise<EnqueueOutcome>
      /** Takes a settled job off the queue, unless a worker has just taken it: that one sees it is settled. */
      discard(jobId: string): Promise<void>
    }
  }
}

/** How long a key is remembered, in seconds. */
const KEY_TTL_SECONDS = 86_400

/** What a key stands for; `added` once the job is known to have been queued. */
interface Claim {
  job_id: string
  fingerprint: string
  added?: true
}

export default fp<QueuePluginOptions>(
  async (app, { prefix, attempts, backoffMs, keepCompleted, keepFailed }) => {
    const { redis, journal } = app
    const queue = new Queue<JobData>(QUEUE_NAME, {
      connection: redis,
      prefix,
      defaultJobOptions: {
        attempts,
        backoff: { type: 'exponential', delay: backoffMs },
        removeOnComplete: { count: keepCompleted },
        removeOnFail: { count: keepFailed },
        stackTraceLimit: 1,
      },
    })
    queue.on(
      'error',
      logOncePerSecond((err: Error) => app.log.warn({ err }, 'queue')),
    )

    app.decorate('queue', {
      async enqueue(request) {
        // BullMQ would wait for Redis and add the job whenever that is: only an open connection is given a job.
        if (redis.status !== 'ready') return { kind: 'unavailable' }
        const jobId = randomUUID()
        try {
          if (request.idempotencyKey === undefined) return await add(jobId, request)
          return await addOnce(jobId, request, request.idempotencyKey)
        } catch (err) {
          app.log.warn({ err, jobId }, 'the queue did not confirm a job')
          return { kind: 'unavailable', jobId }
        }
      },
      async discard(jobId) {
        const job = await queue.getJob(jobId)
        await job
          ?.remove()
          .catch((err: Error) => app.log.debug({ err, jobId }, 'a settled job is still held'))
      },
    })
    app.addHook('onClose', () => Promise.race([queue.close(), deadline(500)]))

    async function add(jobId: string, { stage, userId, body }: EnqueueRequest): Promise<EnqueueOutcome> {
      const data: JobData = {
        stage,
        job_id: jobId,
        workflow_id: body.workflow_id,
        research_question: body.research_question ?? null,
        user_id: userId,
        timestamp: Date.now(),
        inputs: body.inputs ?? {},
      }
      await queue.add(`stage-${stage}-execute`, data, { jobId })
      return { kind: 'queued', jobId }
    }

    /**
     * The key is claimed for a job id before the job is added under it. Whoever repeats the request finds the claim
     * and adds the same id again unless it was seen in the queue: adding an id twice is harmless.
     */
    async function addOnce(jobId: string, request: EnqueueRequest, key: string): Promise<EnqueueOutcome> {
      const name = journal.keys.own('idem', digest(`${request.userId}\n${key}`))
      const mine: Claim = { job_id: jobId, fingerprint: fingerprint(request) }
      const [claimed, stored] = await Promise.all([
        redis.set(name, JSON.stringify(mine), 'EX', KEY_TTL_SECONDS, 'NX'),
        redis.get(name),
      ])
      const claim: Claim = claimed || !stored ? mine : JSON.parse(stored)
      if (claim.fingerprint !== mine.fingerprint) return { kind: 'mismatch' }
      const known = claim !== mine && (claim.added || (await journal.snapshot(claim.job_id)) !== null)
      if (!known) await add(claim.job_id, request)
      if (!claim.added) await redis.set(name, JSON.stringify({ ...claim, added: true }), 'KEEPTTL', 'XX')
      return { kind: claim === mine ? 'queued' : 'replayed', jobId: claim.job_id }
    }
  },
  { name: 'queue', dependencies: ['journal'] },
)

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** The same for requests that ask the same, whatever the order of their fields. */
function fingerprint({ stage, body }: EnqueueRequest): string {
  return digest(JSON.stringify({ stage, body }, sortedKeys))
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
