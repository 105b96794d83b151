/** Adds jobs to the queue and maintains it. */
import { setTimeout as delay } from 'node:timers/promises'
import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import type { JobData } from '../contract/job.ts'
import { queueSpan, type TraceContext } from '../contract/trace.ts'
import { type JobSettings, jobAdder, jobOptionsOf } from '../journal/add-jobs.ts'
import { type Admitted, type EnqueueOutcome, type EnqueueRequest, enqueuer } from '../journal/enqueue.ts'
import { QUEUE_NAME } from '../journal/journal.ts'
import { logOncePerSecond } from '../journal/redis.ts'
import { tidyQueue } from '../journal/tidy.ts'

export interface QueuePluginOptions extends JobSettings {
  prefix: string
  /** How long data of a finished job is kept. */
  resultTtlSeconds: number
  /** Distinguishes deployments that share a prefix and a stage service. */
  queueId: string
  /** Maximum queued jobs per user; 0 = no limit. */
  maxWaiting: number
}

/** A request, with the trace context of its job. */
export interface TracedRequest extends EnqueueRequest {
  trace?: TraceContext | null
}

export interface QueueDepth {
  /** Jobs that a worker can take now. */
  waiting: number
  /** Jobs that wait for a retry, or are held back by an open circuit or a limit of their stage. */
  delayed: number
  active: number
  /** When the next waiting job was accepted, epoch ms. */
  oldestWaitingAt: number | null
}

declare module './core.ts' {
  interface Stagecast {
    queue: {
      /** Queues a job. Returns within a bounded time and never reports success for a job that is not in Redis. */
      enqueue(request: TracedRequest): Promise<EnqueueOutcome>
      /** Removes a finished job from the queue. If a worker has just taken it, the worker sees that it is finished. */
      discard(jobId: string): Promise<void>
      /** Removes a finished job from the queue. Returns whether it is gone; a worker may still hold it. */
      remove(jobId: string): Promise<boolean>
      /** BullMQ's queue, for reading only. Rejects if Redis does not answer. */
      opened(): Promise<Queue>
      /** Current queue depth. Rejects if Redis does not answer. */
      depth(): Promise<QueueDepth>
    }
  }
}

const CLOSE_WITHIN_MS = 500
const TIDY_EVERY_MS = 5000

export default fp<QueuePluginOptions>(
  async (app, { prefix, queueId, maxWaiting, resultTtlSeconds, ...settings }) => {
    const { redis, journal } = app.stagecast
    const logError = logOncePerSecond((err: Error) => app.log.warn({ err }, 'queue error'))
    const logPlace = logOncePerSecond((fields: object, message: string) => app.log.warn(fields, message))
    let queue = openQueue()
    const addJobs = jobAdder({
      open: usable,
      optionsOf: (stage) => jobOptionsOf(settings, app.stagecast.catalogue.get(stage)?.limits),
      place,
    })

    const enqueue = enqueuer<TracedRequest>({
      redis,
      journal,
      deployment: [prefix, queueId],
      maxWaiting,
      add,
      failed: (err, jobId) => app.log.warn({ err, jobId }, 'the queue did not confirm a job'),
    })
    const tidying = setInterval(() => void tidy(), TIDY_EVERY_MS).unref()
    app.addHook('preClose', async () => clearInterval(tidying))

    app.stagecast.queue = {
      async enqueue(request) {
        // While disconnected, BullMQ would wait and add the job at any later time. So add only when connected.
        return redis.status === 'ready' ? enqueue(request) : { kind: 'unavailable' }
      },
      async discard(jobId) {
        await usable()
          .then((queue) => queue.getJob(jobId))
          .then((job) => job?.remove())
          .catch((err: Error) =>
            app.log.debug({ err, jobId }, 'could not remove a finished job from the queue'),
          )
      },
      async remove(jobId) {
        const job = await (await usable()).getJob(jobId)
        // BullMQ does not say why it failed, so look again.
        await job?.remove().catch((err: Error) => app.log.debug({ err, jobId }, 'a job is not removed yet'))
        return !job || (await redis.exists(journal.keys.job(jobId))) === 0
      },
      opened: () => usable(),
      async depth() {
        const queue = await usable()
        // Jobs that were handed over or added manually have no priority and go first.
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

    /** BullMQ asks Redis for its version only once. If that fails, the queue must be created again. */
    async function usable(): Promise<Queue<JobData>> {
      const current = queue
      await current.waitUntilReady().catch((error) => {
        if (queue === current) queue = openQueue()
        current.close().catch(() => {})
        throw error
      })
      return current
    }

    async function add(admitted: readonly Admitted<TracedRequest>[]): Promise<(Error | null)[]> {
      const spans = admitted.map(({ jobId, request: { stage, trace = null } }) =>
        app.stagecast.tracing.start(() => queueSpan('send', QUEUE_NAME, jobId, stage), trace),
      )
      const jobs = admitted.map(({ jobId, request, priority }, i) => ({
        data: jobData(jobId, request, spans[i]?.context ?? null),
        priority,
      }))
      const faults = await addJobs(jobs)
      for (const [i, span] of spans.entries()) span.end(faults[i] ? 'QUEUE_UNAVAILABLE' : undefined)
      return faults
    }

    /** If this fails, `tidy` repeats it, or the worker places `queued` with the job's first log entry. */
    async function place(jobs: readonly JobData[]): Promise<void> {
      await journal
        .placeQueued(jobs)
        .catch((err: Error) => logPlace({ err }, 'jobs are queued but not listed yet'))
    }

    async function tidy(): Promise<void> {
      if (redis.status !== 'ready') return
      await usable()
        .then((queue) => tidyQueue({ redis, keys: journal.keys, queue, place, resultTtlSeconds }))
        .catch((err: Error) => app.log.debug({ err }, 'could not tidy the queue'))
    }
  },
  { name: 'queue', dependencies: ['catalogue', 'journal', 'tracing'] },
)

function jobData(jobId: string, request: EnqueueRequest, trace: TraceContext | null): JobData {
  const { stage, userId, body, retryOf } = request
  return {
    stage,
    job_id: jobId,
    workflow_id: body.workflow_id,
    research_question: body.research_question ?? null,
    user_id: userId,
    timestamp: Date.now(),
    inputs: body.inputs ?? {},
    ...(retryOf && { retry_of: retryOf }),
    ...(trace && { trace }),
  }
}
