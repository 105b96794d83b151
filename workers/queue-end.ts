/** Ends an attempt in the queue. The outcome is already in the journal; BullMQ follows it. */
import { setTimeout as pause } from 'node:timers/promises'
import { DelayedError, type Job, Job as JobOf, UnrecoverableError, WaitingError, type Worker } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { JournalKeys } from '../journal/journal.ts'
import { type AttemptOutcome, OUTCOME_EXPIRED } from './attempt.ts'

/** How an attempt ended, or `postponed` if its end could not be recorded. */
export type Ending = AttemptOutcome | { kind: 'handed-over' } | { kind: 'postponed' }

/** How long a worker leaves a job to the others after offering it, in ms. */
const OFFERED_MS = 25
/** How long to wait before retrying a job that could not be recorded in Redis, in ms. */
const POSTPONED_MS = 1000

export class QueueEnd {
  private readonly redis: Redis
  private readonly keys: JournalKeys
  private readonly log: FastifyBaseLogger

  constructor(redis: Redis, keys: JournalKeys, log: FastifyBaseLogger) {
    this.redis = redis
    this.keys = keys
    this.log = log
  }

  /** What a processor returns or throws for an ending: the value kept with the job, or the error that BullMQ acts on. */
  async tell(job: Job, token: string, outcome: Ending): Promise<unknown> {
    switch (outcome.kind) {
      case 'completed':
        // Keep it small: BullMQ copies it into events and stores it with the job.
        return { artifacts: outcome.artifacts }
      case 'handed-over':
        return this.putBack(job, token)
      case 'postponed':
        // If this fails too, the lock expires and BullMQ's stalled check finds the job.
        return this.delay(job, token, POSTPONED_MS)
      case 'retry':
        if (!outcome.counts || outcome.delayMs > backoffOf(job))
          return this.delay(job, token, delayOf(job, outcome) as number)
        throw new Error(outcome.code)
      default:
        throw new UnrecoverableError(outcome.code)
    }
  }

  /** Uses up no attempt; another worker may take the job at once. */
  async putBack(job: Job, token: string): Promise<never> {
    await job.moveToWait(token)
    throw new WaitingError()
  }

  /**
   * A cancel may settle a job after its attempt and before the queue has delayed it. It cannot remove the job while this
   * worker holds it, so the later of the two removes it: the cancel, or this.
   */
  async dropSettled(job: Job): Promise<void> {
    const jobId = job.id as string
    try {
      const isSettled =
        job.failedReason === OUTCOME_EXPIRED || (await this.redis.exists(this.keys.end(jobId)))
      if (isSettled) await job.remove()
    } catch (err) {
      // The job then stays in the queue until its delay ends, and is not run.
      this.log.debug({ err, jobId }, 'a settled job stays in the queue')
    }
  }

  /** Delays a job that may not start now. It uses up no attempt; `delayed` is called once it is delayed. 0 ms offers it. */
  async putOff(job: Job, token: string, ms: number, delayed: () => void): Promise<never> {
    if (ms === 0) {
      await job.moveToWait(token)
      delayed()
      // BullMQ's marker wakes the worker that has waited longest, unless this one asks first.
      await pause(OFFERED_MS)
      throw new WaitingError()
    }
    await job.moveToDelayed(Date.now() + ms, token)
    delayed()
    void this.dropSettled(job)
    throw new DelayedError()
  }

  /** Returns a delayed job to waiting; false if it is no longer delayed. */
  async callBack(worker: Worker, jobId: string): Promise<boolean> {
    try {
      await new JobOf(worker, '', null, {}, jobId).promote()
      return true
    } catch (err) {
      this.log.debug({ err, jobId }, 'a delayed job has already left the delay')
      return false
    }
  }

  /** Takes a settled job off the queue, unless a worker has just taken it: that one sees that it is settled. */
  async discard(worker: Worker, jobId: string): Promise<void> {
    try {
      const job = await JobOf.fromId(worker, jobId)
      await job?.remove()
    } catch (err) {
      this.log.debug({ err, jobId }, 'a settled job stays in the queue')
    }
  }

  private async delay(job: Job, token: string, ms: number): Promise<never> {
    await job.moveToDelayed(Date.now() + ms, token)
    void this.dropSettled(job)
    throw new DelayedError()
  }
}

/** How long the job waits for its next attempt, in ms: the back-off, or longer if the service asks for it. */
export function delayOf(job: Job, ending: Ending): number | undefined {
  if (ending.kind === 'postponed') return POSTPONED_MS
  return ending.kind === 'retry' ? Math.max(ending.delayMs, backoffOf(job)) : undefined
}

/** The delay in ms that BullMQ will choose for the next attempt. It doubles with each failure. */
function backoffOf({ opts: { backoff }, attemptsMade }: Job): number {
  if (typeof backoff !== 'object') return backoff ?? 0
  return (backoff.delay ?? 0) * (backoff.type === 'exponential' ? 2 ** attemptsMade : 1)
}
