/** Takes jobs from the queue and runs attempts: the only importer of BullMQ's Worker. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Catalogue } from '../contract/catalogue.ts'
import type { JobData } from '../contract/job.ts'
import type { Tracing } from '../contract/tracing.ts'
import { journalKeys, QUEUE_NAME } from '../journal/journal.ts'
import { closeRedis, connectRedis, logOncePerSecond, probeRedis, type RedisSource } from '../journal/redis.ts'
import { Attempt, type AttemptOutcome, OUTCOME_EXPIRED, type StopReason } from './attempt.ts'
import { listenForCancels } from './cancel-listener.ts'
import type { Passage } from './circuit.ts'
import { LeaseLost } from './journal-writer.ts'
import { logEnd } from './log-end.ts'
import { startPresence, type WorkerPresence } from './presence.ts'
import { isProgramFault } from './program-fault.ts'
import { type Ending, QueueEnd } from './queue-end.ts'
import { type WorkerStage, WorkerStages } from './stages.ts'

export interface StageWorkerOptions {
  source: RedisSource
  prefix: string
  /** The stages, their services and limits. */
  catalogue: Catalogue
  concurrency: number
  lockMs: number
  stalledCheckMs: number
  /** For stages that set none of their own. */
  stageTimeoutMs: number
  silenceMs: number
  maxResultBytes: number
  resultTtlSeconds: number
  breakerFailures: number
  breakerResetMs: number
  /** Whether the log tells what the stage service says of a failure, which may be anything. */
  logServiceErrors: boolean
  log: FastifyBaseLogger
  tracing: Tracing
}

export interface StageWorker {
  /** Why no job can be taken right now, or null. */
  fault(): string | null
  /** The same, having asked Redis whether it does what is needed. */
  ready(): Promise<string | null>
  state(): WorkerPresence
  /** How often its connections to Redis were made anew, by what they are for. */
  reconnects(): Record<'jobs' | 'cancels', number>
  /** Takes no more jobs, gives those under way 70 % of `graceMs` to finish, hands the rest over; done within `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** Longest silence of Redis on the connection that renews leases, in ms: later is too late. */
const SILENCE_MS = 5000
/** The parts of the grace in which jobs may finish and be handed over; the rest is for closing connections. */
const FINISHING_SHARE = 0.7
const HANDING_OVER_SHARE = 0.2
/** A wait that keeps no process alive. */
const UNREF = { ref: false }

export function startStageWorker(options: StageWorkerOptions): StageWorker {
  const { log, logServiceErrors, prefix, source } = options
  const keys = journalKeys(prefix)
  const redis = connectRedis(source, 'blocking', prefix)
  /** Runs of this process by job id, for the signals that reach them. */
  const running = new Map<string, Run>()
  const state = () => ({
    concurrency: options.concurrency,
    running: running.size,
    ...stages.circuits(),
  })
  let connected = 0
  const queueEnd = new QueueEnd(redis, keys, log)
  const stages = new WorkerStages({
    ...{ ...options, redis, keys },
    callBack: (jobId) => queueEnd.callBack(worker, jobId),
    onCircuit: () => presence.tell(),
  })
  const presence = startPresence(redis, keys, state)

  const worker = new Worker<JobData>(QUEUE_NAME, (job, token = '') => takeJob(job, token), {
    connection: redis,
    prefix,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledCheckMs,
    // BullMQ renews by the wall clock: set back, it would let every lease lapse. See `keepLease`.
    skipLockRenewal: true,
    // How often a job may lose its worker is a matter of its attempts, not of the queue.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    // After a failed fetch or a failed end; BullMQ's 15 s would leave jobs lying after Redis is back.
    runRetryDelay: 1000,
  })
  // The twin of `redis` for blocking reads, which are longer, has been made with the worker.
  redis.options.socketTimeout = SILENCE_MS
  const warn = (message: string) => logOncePerSecond((err: Error) => log.warn({ err }, message))
  redis.on('error', warn('redis connection'))
  worker.on('error', warn('worker'))
  const warnOfLease = warn('a lease could not be renewed')
  worker.on('failed', (job) => {
    // Without an end it was put off. What had its outcome long ago, and was queued again, leaves nothing behind.
    if (job && (!job.finishedOn || job.failedReason === OUTCOME_EXPIRED)) void queueEnd.dropSettled(job)
  })
  worker.on('stalled', (jobId) => log.warn({ jobId }, 'a job lost its worker and waits for another'))

  redis.on('ready', () => {
    connected += 1
  })
  const cancels = listenForCancels(source, prefix, {
    heard: (jobId) => stop(jobId, 'cancel'),
    // Requests made while nobody listened left their mark in the job.
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
        ({ message }: Error) => `Redis does not do what is needed: ${message}`,
      )
    },
    state,
    reconnects: () => ({
      jobs: Math.max(0, connected - 1),
      cancels: cancels.reconnects,
    }),
    close,
  }

  function fault(): string | null {
    if (redis.status !== 'ready') return 'Redis is not connected'
    if (!cancels.isListening) return 'cancel requests cannot be heard'
    return worker.isRunning() ? null : 'the worker does not run'
  }

  async function takeJob(job: Job<JobData>, token: string): Promise<unknown> {
    const jobId = job.id as string
    // BullMQ may fetch one more in the moment of closing.
    if (worker.closing) return queueEnd.putBack(job, token)
    const earlier = running.get(jobId)
    if (earlier) {
      // Its lease vanished, and the job came back to this very process before that was noticed. BullMQ tracks jobs by
      // id: side by side, one run would lose the renewal of its lease to the other.
      earlier.stop('lease-lost')
      await earlier.ended
      return queueEnd.putBack(job, token)
    }
    const stage = stages.of(job)
    const passage = stage.gate.enter(jobId)
    if (!passage)
      return queueEnd.putOff(job, token, stage.gate.delayMs(jobId), () => stage.gate.remember(jobId))
    const controller = new AbortController()
    const release = keepLease(job, token, () => controller.abort('lease-lost'))
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

  /** Renews the lease by timers, which no change of the wall clock moves, until the returned function is called. */
  function keepLease(job: Job<JobData>, token: string, lost: () => void): () => void {
    let isAsking = false
    const timer = setInterval(async () => {
      // While Redis is away the first question waits for it, and is enough.
      if (isAsking) return
      isAsking = true
      const renewed = await job.extendLock(token, options.lockMs).catch((err: Error) => {
        warnOfLease(err)
        return null
      })
      isAsking = false
      if (renewed === 0) lost()
    }, options.lockMs / 3)
    return () => clearInterval(timer)
  }

  /** Rejects with `LeaseLost`, or a fault of this program. */
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
      // Before its first start a job has no log, as a rule: somebody may have reset the number of starts.
      const isFresh = job.attemptsStarted <= 1 && job.progress === 0
      const last = isFresh ? null : await redis.hget(keys.job(jobId), 'last')
      const attempt = new Attempt(job, last ? JSON.parse(last) : null, token, stage.options)
      const outcome = await attempt.run(signal)
      verdict = outcome.verdict
      const ms = performance.now() - startedAt
      logEnd(log, { job, attempt: attempt.number, outcome, ms }, logServiceErrors)
      return outcome
    } catch (err) {
      // No attempt is used up; another worker may take the job at once.
      if (signal.reason === 'shutdown') return { kind: 'handed-over' }
      if (err instanceof LeaseLost) {
        log.warn({ jobId }, 'the lease of the job was lost: stopped')
        throw err
      }
      // A fault of this program would be met again and again.
      if (isProgramFault(err)) {
        log.error({ err, jobId }, 'a fault of the worker could not be recorded: the queue ends the job')
        return { kind: 'failed', code: 'INTERNAL_ERROR', verdict: 'none' }
      }
      // Redis refused or failed. BullMQ must not end what the journal has not: the job comes back.
      log.error({ err, jobId }, 'the attempt could not be recorded')
      return { kind: 'postponed' }
    } finally {
      passage.end(verdict)
    }
  }

  function stop(jobId: string, reason: StopReason): void {
    running.get(jobId)?.stop(reason)
  }

  async function close(graceMs: number): Promise<void> {
    const closed = worker.close()
    await Promise.race([closed, delay(graceMs * FINISHING_SHARE, null, UNREF)])
    for (const run of running.values()) run.stop('shutdown')
    await Promise.race([closed, delay(graceMs * HANDING_OVER_SHARE, null, UNREF)])
    stages.stop()
    const rest = Math.min(200, (graceMs * (1 - FINISHING_SHARE - HANDING_OVER_SHARE)) / 2)
    await Promise.race([presence.leave(), delay(rest / 2, null, UNREF)])
    await Promise.all([stages.close(), cancels.close(rest), closeRedis(redis, rest)])
  }
}

/** One job under way in this process. */
interface Run {
  stop(reason: StopReason): void
  /** Settles, and never rejects, when nothing of it is under way any more. */
  ended: Promise<void>
}
