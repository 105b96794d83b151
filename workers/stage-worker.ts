/** Takes jobs from the queue and runs attempts: the only importer of BullMQ's Worker. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Catalogue } from '../contract/catalogue.ts'
import type { JobData } from '../contract/job.ts'
import type { Tracing } from '../contract/tracing.ts'
import { type JobSettings, jobOptionsOf } from '../journal/add-jobs.ts'
import { journalKeys, QUEUE_NAME } from '../journal/journal.ts'
import { pauseMessage, watchPauses } from '../journal/pauses.ts'
import { closeRedis, connectRedis, logOncePerSecond, probeRedis, type RedisSource } from '../journal/redis.ts'
import { digestOf } from '../journal/workers.ts'
import type { ProxySettings } from '../outgoing/outgoing.ts'
import { RUN_QUEUE_NAME } from '../runs/queue.ts'
import { Attempt, type AttemptOutcome, OUTCOME_EXPIRED, type StopReason } from './attempt.ts'
import { listenForCancels } from './cancel-listener.ts'
import type { Passage } from './circuit.ts'
import { LockLost } from './journal-writer.ts'
import { logEnd } from './log-end.ts'
import { startPresence, type WorkerPresence } from './presence.ts'
import { isProgramFault } from './program-fault.ts'
import { type Ending, QueueEnd } from './queue-end.ts'
import { startRunWorker } from './run-worker.ts'
import { type WorkerStage, WorkerStages } from './stages.ts'

export interface StageWorkerOptions {
  source: RedisSource
  prefix: string
  /** The stages, their services and limits. */
  catalogue: Catalogue
  concurrency: number
  lockMs: number
  stalledCheckMs: number
  /** Limits for stages that set none. */
  stageTimeoutMs: number
  silenceMs: number
  maxResultBytes: number
  resultTtlSeconds: number
  /** How long a finished run and the results of its jobs are kept, in seconds. */
  workflowTtlSeconds: number
  /** Attempts and back-off of the steps of runs whose stages set none. */
  jobs: JobSettings
  /** Finished jobs to keep in the queue. */
  keepCompleted: number
  keepFailed: number
  breakerFailures: number
  breakerResetMs: number
  /** Whether to log the stage service's own error messages, which may contain anything. */
  logServiceErrors: boolean
  /** Proxies on the way to the services. */
  proxy: ProxySettings
  log: FastifyBaseLogger
  tracing: Tracing
}

export interface StageWorker {
  /** Why no job can be taken right now, or null. */
  fault(): string | null
  /** As `fault`, but also asks Redis whether it works. */
  ready(): Promise<string | null>
  state(): WorkerPresence
  /** Names of the paused queues. */
  paused(): readonly string[]
  /** How often its connections to Redis have reconnected, by purpose. */
  reconnects(): Record<'jobs' | 'cancels', number>
  /** Stops taking jobs, gives running ones 70 % of `graceMs` to finish and hands the rest over, all within `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** Longest time Redis may take to answer on the connection that renews locks, in ms. */
const SILENCE_MS = 5000
/** The share of the grace period in which jobs may finish and be handed over; the rest is for closing connections. */
const FINISHING_SHARE = 0.7
const HANDING_OVER_SHARE = 0.2
/** Does not keep the process alive. */
const UNREF = { ref: false }

export function startStageWorker(options: StageWorkerOptions): StageWorker {
  const { log, logServiceErrors, prefix, source } = options
  const keys = journalKeys(prefix)
  const redis = connectRedis(source, 'blocking', prefix, { socketTimeout: SILENCE_MS })
  /** Running jobs by ID, for the signals that stop them. */
  const running = new Map<string, Run>()
  const catalogue = digestOf(options.catalogue)
  const state = () => ({
    catalogue,
    concurrency: options.concurrency,
    running: running.size,
    ...stages.circuits(),
    stages: options.catalogue.stages.map(({ stage }) => stage),
  })
  let connected = 0
  const queueEnd = new QueueEnd(redis, keys, log)
  const stages = new WorkerStages({
    ...options,
    redis,
    keys,
    callBack: (jobId) => queueEnd.callBack(worker, jobId),
    onCircuit: () => presence.tell(),
  })
  const presence = startPresence(redis, keys, state)
  const pauses = watchPauses({
    redis,
    prefix,
    queues: [QUEUE_NAME, RUN_QUEUE_NAME],
    changed: (queue, isPaused) => log.warn({ queue }, pauseMessage(isPaused)),
  })

  const worker = new Worker<JobData>(QUEUE_NAME, (job, token = '') => takeJob(job, token), {
    connection: redis,
    prefix,
    concurrency: options.concurrency,
    removeOnComplete: { count: options.keepCompleted },
    removeOnFail: { count: options.keepFailed },
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    // BullMQ renews locks by the wall clock: set back, it would let every lock expire. See `keepLock`.
    skipLockRenewal: true,
    // Jobs that lose their worker are limited by their attempts, not by the queue.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    // Applies after a failed fetch or a failed end. BullMQ's default of 15 s would delay jobs after Redis is back.
    runRetryDelay: 1000,
  })
  const warn = (message: string) => logOncePerSecond((err: Error) => log.warn({ err }, message))
  redis.on('error', warn('redis connection error'))
  worker.on('error', warn('worker error'))
  const warnOfLock = warn('could not renew a job lock')
  worker.on('failed', (job) => {
    // A job that has not finished was delayed. A job that was queued again after its outcome expired must leave nothing
    // behind.
    if (job && (!job.finishedOn || job.failedReason === OUTCOME_EXPIRED)) void queueEnd.dropSettled(job)
  })
  worker.on('stalled', (jobId) => log.warn({ jobId }, 'a job lost its worker and is waiting for another'))

  const runs = startRunWorker({
    redis,
    prefix,
    keys,
    log,
    lockMs: options.lockMs,
    stalledCheckMs: options.stalledCheckMs,
    resultTtlSeconds: options.resultTtlSeconds,
    workflowTtlSeconds: options.workflowTtlSeconds,
    jobOptions: (stage) => jobOptionsOf(options.jobs, options.catalogue.get(stage)?.limits),
    discard: (jobId) => queueEnd.discard(worker, jobId),
  })
  redis.on('ready', () => {
    connected += 1
  })
  const cancels = listenForCancels(source, prefix, {
    heard: (jobId) => stop(jobId, 'cancel'),
    // Requests made while this worker was not subscribed left a flag in the job.
    async missed() {
      for (const jobId of running.keys())
        if (await redis.hexists(keys.job(jobId), 'cancel')) stop(jobId, 'cancel')
    },
    log,
  })

  return {
    fault,
    async ready() {
      const known = fault()
      if (known) return known
      const slow = delay(SILENCE_MS, 'Redis does not answer', UNREF)
      const probe = probeRedis(redis, keys).then(() => null)
      return Promise.race([probe, slow]).catch(
        ({ message }: Error) => `Redis does not work as needed: ${message}`,
      )
    },
    state,
    paused: pauses.current,
    reconnects: () => ({
      jobs: Math.max(0, connected - 1),
      cancels: cancels.reconnects,
    }),
    close,
  }

  function fault(): string | null {
    if (redis.status !== 'ready') return 'Redis is not connected'
    if (!cancels.isListening) return 'not subscribed to cancel requests'
    return worker.isRunning() ? null : 'the worker is not running'
  }

  async function takeJob(job: Job<JobData>, token: string): Promise<unknown> {
    const jobId = job.id as string
    // BullMQ may fetch one more job while it closes.
    if (worker.closing) return queueEnd.putBack(job, token)
    const earlier = running.get(jobId)
    if (earlier) {
      // The lock expired, and this process got the job again before it noticed. BullMQ tracks jobs by ID: with both
      // running, one would lose its lock renewal to the other.
      earlier.stop('lock-lost')
      await earlier.ended
      return queueEnd.putBack(job, token)
    }
    const stage = stages.of(job)
    const passage = stage.gate.enter(jobId)
    if (!passage)
      return queueEnd.putOff(job, token, stage.gate.delayMs(jobId), () =>
        stage.gate.remember(jobId, job.priority),
      )
    const controller = new AbortController()
    const release = keepLock(job, token, () => controller.abort('lock-lost'))
    const ended = runJob(job, token, stage, passage, controller.signal).finally(() => running.delete(jobId))
    running.set(jobId, {
      stop: (reason) => controller.abort(reason),
      ended: ended.then(
        () => {},
        () => {},
      ),
    })
    try {
      return await queueEnd.tell(job, token, await ended)
    } finally {
      release()
    }
  }

  /** Renews the lock on a timer, which clock changes do not affect, until the returned function is called. */
  function keepLock(job: Job<JobData>, token: string, lost: () => void): () => void {
    let isAsking = false
    const timer = setInterval(async () => {
      // While Redis is away, the first request waits for it; one is enough.
      if (isAsking) return
      isAsking = true
      const renewed = await job.extendLock(token, options.lockMs).catch((err: Error) => {
        warnOfLock(err)
        return null
      })
      isAsking = false
      if (renewed === 0) lost()
    }, options.lockMs / 3)
    return () => clearInterval(timer)
  }

  /** Rejects with `LockLost` or a bug in this program. */
  async function runJob(
    job: Job<JobData>,
    token: string,
    stage: WorkerStage,
    passage: Passage,
    signal: AbortSignal,
  ): Promise<Ending> {
    const jobId = job.id as string
    const startedAt = performance.now()
    let verdict: AttemptOutcome['verdict'] = 'none'
    try {
      // Before its first start a job has no log, unless an operator reset the number of starts.
      const isFresh = job.attemptsStarted <= 1 && job.progress === 0
      const last = isFresh ? null : await redis.hget(keys.job(jobId), 'last')
      const attempt = new Attempt(job, last ? JSON.parse(last) : null, token, stage.options)
      const outcome = await attempt.run(signal)
      verdict = outcome.verdict
      const ms = performance.now() - startedAt
      logEnd(log, { job, attempt: attempt.number, outcome, ms }, logServiceErrors)
      return outcome
    } catch (err) {
      // This uses up no attempt; another worker may take the job at once.
      if (signal.reason === 'shutdown') return { kind: 'handed-over' }
      if (err instanceof LockLost) {
        log.warn({ jobId }, 'lost the job lock: stopped')
        throw err
      }
      // A bug would fail every further attempt too.
      if (isProgramFault(err)) {
        log.error({ err, jobId }, 'could not record an internal error: the queue ends the job')
        return { kind: 'failed', code: 'INTERNAL_ERROR', verdict: 'none' }
      }
      // Redis refused or failed. BullMQ must not end a job that the journal has not ended, so the job comes back.
      log.error({ err, jobId }, 'could not record the attempt')
      return { kind: 'postponed' }
    } finally {
      passage.end(verdict)
    }
  }

  function stop(jobId: string, reason: StopReason): void {
    running.get(jobId)?.stop(reason)
  }

  async function close(graceMs: number): Promise<void> {
    pauses.stop()
    const closed = Promise.all([worker.close(), runs.close()])
    await Promise.race([closed, delay(graceMs * FINISHING_SHARE, null, UNREF)])
    for (const run of running.values()) run.stop('shutdown')
    await Promise.race([closed, delay(graceMs * HANDING_OVER_SHARE, null, UNREF)])
    stages.stop()
    const rest = Math.min(200, (graceMs * (1 - FINISHING_SHARE - HANDING_OVER_SHARE)) / 2)
    await Promise.race([presence.leave(), delay(rest / 2, null, UNREF)])
    await Promise.all([stages.close(), cancels.close(rest), closeRedis(redis, rest)])
  }
}

/** One running job in this process. */
interface Run {
  stop(reason: StopReason): void
  /** Settles once all its work has stopped; never rejects. */
  ended: Promise<void>
}
