/** Puts jobs into the queue. It answers soon and never lies: what happened is one of four outcomes. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import type { ExecuteBody } from '../contract/catalogue.ts'
import type { JobData } from '../contract/job.ts'
import { queueSpan, type TraceContext } from '../contract/trace.ts'
import { jobAdder } from '../journal/add-jobs.ts'
import { QUEUE_NAME } from '../journal/journal.ts'
import { logOncePerSecond } from '../journal/redis.ts'

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
  /** What the job hangs on in a trace. */
  trace?: TraceContext | null
}

/**
 * `queued`: the job is in Redis. `replayed`: it already was, by this key. `mismatch`: the key belongs to another
 * request. `unavailable`: Redis did not confirm; with a `job_id` the job may be queued all the same.
 */
export type EnqueueOutcome =
  | { kind: 'queued' | 'replayed'; jobId: string }
  | { kind: 'mismatch' }
  | { kind: 'unavailable'; jobId?: string }

export interface QueueDepth {
  /** Jobs that a worker may take now. */
  waiting: number
  /** Jobs whose next attempt has its time. */
  delayed: number
  active: number
  /** When the job that is next in line was accepted, epoch ms. */
  oldestWaitingAt: number | null
}

declare module './core.ts' {
  interface Stagecast {
    queue: {
      enqueue(request: EnqueueRequest): Promise<EnqueueOutcome>
      /** Takes a settled job off the queue, unless a worker has just taken it: that one sees it is settled. */
      discard(jobId: string): Promise<void>
      /** BullMQ's own view of the queue, to be looked at. Rejects when Redis does not answer. */
      opened(): Promise<Queue>
      /** What lies in the queue now. Rejects when Redis does not answer. */
      depth(): Promise<QueueDepth>
    }
  }
}

const CLOSE_WITHIN_MS = 500
/** How long a key is remembered, in seconds. */
const KEY_TTL_SECONDS = 86_400

/** What a key stands for; `added` once the job is known to have been queued. */
interface Claim {
  job_id: string
  fingerprint: string
  added?: true
}

/** A claim with the name of its key in Redis. */
type StoredClaim = Claim & { name: string }

export default fp<QueuePluginOptions>(
  async (app, { prefix, attempts, backoffMs, keepCompleted, keepFailed }) => {
    const { redis, journal } = app.stagecast
    const logError = logOncePerSecond((err: Error) => app.log.warn({ err }, 'queue'))
    const logPlace = logOncePerSecond((fields: object, message: string) => app.log.warn(fields, message))
    let queue = openQueue()
    const addJob = jobAdder({
      open: usable,
      jobOptions: {
        attempts,
        backoff: { type: 'exponential', delay: backoffMs },
        removeOnComplete: { count: keepCompleted },
        removeOnFail: { count: keepFailed },
        stackTraceLimit: 1,
      },
      place,
    })

    app.stagecast.queue = {
      async enqueue(request) {
        // BullMQ would wait for Redis and add the job whenever that is: only an open connection is given a job.
        if (redis.status !== 'ready') return { kind: 'unavailable' }
        let jobId: string = randomUUID()
        try {
          if (request.idempotencyKey === undefined) {
            await add(jobId, request)
            return { kind: 'queued', jobId }
          }
          const claim = await claimKey(jobId, request, request.idempotencyKey)
          if (claim.fingerprint !== fingerprint(request)) return { kind: 'mismatch' }
          const kind = claim.job_id === jobId ? 'queued' : 'replayed'
          // Whatever happens from here on happens to the job of the claim.
          jobId = claim.job_id
          await addOnce(claim, request, kind === 'queued')
          return { kind, jobId }
        } catch (err) {
          app.log.warn({ err, jobId }, 'the queue did not confirm a job')
          return { kind: 'unavailable', jobId }
        }
      },
      async discard(jobId) {
        await usable()
          .then((queue) => queue.getJob(jobId))
          .then((job) => job?.remove())
          .catch((err: Error) => app.log.debug({ err, jobId }, 'a settled job stays in the queue'))
      },
      opened: () => usable(),
      async depth() {
        const queue = await usable()
        // An operator's tool may have given a job priority.
        const [counts, [first]] = await Promise.all([
          queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active'),
          queue.getJobs(['waiting', 'prioritized'], 0, 0, true),
        ])
        const { waiting = 0, prioritized = 0, delayed = 0, active = 0 } = counts
        return {
          waiting: waiting + prioritized,
          delayed,
          active,
          oldestWaitingAt: first?.timestamp ?? null,
        }
      },
    }
    app.addHook('onClose', () => Promise.race([queue.close(), delay(CLOSE_WITHIN_MS, null, { ref: false })]))

    function openQueue(): Queue<JobData> {
      const opened = new Queue<JobData>(QUEUE_NAME, { connection: redis, prefix })
      opened.on('error', logError)
      return opened
    }

    /** BullMQ asks Redis for its version once; when that fails, the queue must be made anew. */
    async function usable(): Promise<Queue<JobData>> {
      const current = queue
      await current.waitUntilReady().catch((error) => {
        if (queue === current) queue = openQueue()
        current.close().catch(() => {})
        throw error
      })
      return current
    }

    async function add(jobId: string, request: EnqueueRequest): Promise<void> {
      const describe = () => queueSpan('send', QUEUE_NAME, jobId, request.stage)
      const span = app.stagecast.tracing.start(describe, request.trace ?? null)
      await send(jobId, { ...request, trace: span.context }).catch((error) => {
        span.end('QUEUE_UNAVAILABLE')
        throw error
      })
      span.end()
    }

    /** Where this fails, the worker makes good for it with the first line of the job. */
    async function place(jobs: readonly JobData[]): Promise<void> {
      const replies = await journal.placeQueued(jobs).catch((err: Error) => jobs.map(() => err))
      const err = replies.find((reply) => reply instanceof Error)
      if (err) logPlace({ err }, 'jobs are in the queue, but not listed yet')
    }

    function send(jobId: string, { stage, userId, body, trace }: EnqueueRequest): Promise<void> {
      return addJob({
        stage,
        job_id: jobId,
        workflow_id: body.workflow_id,
        research_question: body.research_question ?? null,
        user_id: userId,
        timestamp: Date.now(),
        inputs: body.inputs ?? {},
        ...(trace && { trace }),
      })
    }

    /** The key is claimed for a job id before the job is added under it. Whoever repeats the request finds the claim. */
    async function claimKey(jobId: string, request: EnqueueRequest, key: string): Promise<StoredClaim> {
      const name = journal.keys.own('idem', digest(`${request.userId}\n${key}`))
      const mine: Claim = { job_id: jobId, fingerprint: fingerprint(request) }
      // An old claim is honoured although Redis takes no writes.
      const [claimed, stored] = await Promise.allSettled([
        redis.set(name, JSON.stringify(mine), 'EX', KEY_TTL_SECONDS, 'NX'),
        redis.get(name),
      ])
      if (stored.status === 'rejected') throw stored.reason
      if (stored.value === null && claimed.status === 'rejected') throw claimed.reason
      const claim: Claim = stored.value === null ? mine : JSON.parse(stored.value)
      return { ...claim, name }
    }

    /** Adds the claimed id again unless it was seen in the queue: adding an id twice is harmless. */
    async function addOnce({ name, ...claim }: StoredClaim, request: EnqueueRequest, isNew: boolean) {
      const known = !isNew && (claim.added || (await journal.snapshot(claim.job_id)) !== null)
      if (!known) await add(claim.job_id, request)
      if (!claim.added) await redis.set(name, JSON.stringify({ ...claim, added: true }), 'KEEPTTL', 'XX')
    }
  },
  { name: 'queue', dependencies: ['journal', 'tracing'] },
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
