/**
 * The queue that advances runs. Each of its jobs names only the run to advance. A job may have a child, the job of a step;
 * it starts when the child has ended. A job without a child is a backup in case a process dies while it advances the run.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type FlowJob, FlowProducer, type JobsOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobData } from '../contract/job.ts'
import { uuidOf } from '../journal/ids.ts'
import { type JournalKeys, QUEUE_NAME } from '../journal/journal.ts'
import type { JournalReader } from '../journal/reader.ts'
import { reserve, toPriority } from '../journal/reserve.ts'
import type { RunOrigin } from './store.ts'

export const RUN_QUEUE_NAME = 'workflow-runs'

/** Data of a job in the queue. */
export interface AdvanceData extends RunOrigin {
  /** The job of the step that has ended or was removed; null for a backup. */
  job_id: string | null
}

export interface RunQueueOptions {
  redis: Redis
  /** Prefix of all keys. */
  prefix: string
  keys: JournalKeys
  journal: Pick<JournalReader, 'placeQueued'>
  /** Options for the jobs of a stage. */
  jobOptions(stage: number): JobsOptions
  onError(error: Error): void
}

/** A backup job that advances the run if this process dies. */
export interface Carrier {
  /** Key of its hash. While the hash exists, the run will advance. */
  key: string
  /** Removes it when it has served its purpose. */
  drop(): Promise<void>
}

/** Delay of the backup job, in ms. A process that has not finished by then is taken for dead. */
const JUST_IN_CASE_MS = 3000
const CLOSE_WITHIN_MS = 500

export class RunQueue {
  private readonly options: RunQueueOptions
  private producer: FlowProducer

  constructor(options: RunQueueOptions) {
    this.options = options
    this.producer = this.open()
  }

  /** Key of the hash of a job in this queue. */
  key(id: string): string {
    return `${this.options.prefix}:${RUN_QUEUE_NAME}:${id}`
  }

  async carry({ run_id, workflow_id, user_id }: RunOrigin): Promise<Carrier> {
    const id = randomUUID()
    const data: AdvanceData = { run_id, workflow_id, user_id, job_id: null }
    const opts = { ...OPTIONS, jobId: id, delay: JUST_IN_CASE_MS }
    const { job } = await (await this.usable()).add({
      name: 'advance',
      queueName: RUN_QUEUE_NAME,
      data,
      opts,
    })
    return { key: this.key(id), drop: () => job.remove().then(() => {}) }
  }

  /** Reserves a job's turn in the queue of stages. Returns false if the user already has `most` queued jobs there. */
  async takeTurn(userId: string, jobId: string, stage: number, most: number): Promise<boolean> {
    const { redis, keys } = this.options
    const [reply] = await reserve(redis, keys, [{ jobId, stage, userId }], most)
    if (reply instanceof Error) throw reply
    return reply?.[0] !== 'full'
  }

  /** Queues the jobs of steps. Repeating this is harmless. */
  async add(origin: RunOrigin, jobs: readonly JobData[]): Promise<void> {
    const { redis, keys, journal } = this.options
    // A run that has started continues, however many jobs its user has queued.
    const steps = jobs.map(({ job_id, stage, user_id }) => ({ jobId: job_id, stage, userId: user_id }))
    const turns = await reserve(redis, keys, steps)
    const flows = jobs.map((data, i) => {
      const reply = turns[i]
      if (!reply || reply instanceof Error) throw reply ?? new Error('no turn')
      if (reply[0] !== 'reserved') throw new Error(`a step was not given a turn: ${reply[0]}`)
      return this.flowOf(origin, data, toPriority(reply[1]))
    })
    const producer = await this.usable()
    await producer.addBulk(flows)
    // If this fails, `queued` is placed with the job's first log entry.
    await journal.placeQueued(jobs).catch(() => {})
  }

  async close(): Promise<void> {
    await Promise.race([this.producer.close(), delay(CLOSE_WITHIN_MS, null, { ref: false })])
  }

  private flowOf({ run_id, workflow_id, user_id }: RunOrigin, job: JobData, priority: number) {
    const data: AdvanceData = { run_id, workflow_id, user_id, job_id: job.job_id }
    const child: FlowJob = {
      name: `stage-${job.stage}-execute`,
      queueName: QUEUE_NAME,
      data: job,
      opts: {
        ...this.options.jobOptions(job.stage),
        priority,
        jobId: job.job_id,
        timestamp: job.timestamp,
        // The run advances however the job ends.
        ignoreDependencyOnFailure: true,
      },
    }
    const opts = { ...OPTIONS, jobId: uuidOf('advance', job.job_id) }
    return { name: 'advance', queueName: RUN_QUEUE_NAME, data, opts, children: [child] }
  }

  /** BullMQ asks Redis for its version only once; if that fails, a new producer is needed. */
  private async usable(): Promise<FlowProducer> {
    const current = this.producer
    await current.waitUntilReady().catch((error) => {
      if (this.producer === current) this.producer = this.open()
      current.close().catch(() => {})
      throw error
    })
    return current
  }

  private open(): FlowProducer {
    const { redis, prefix, onError } = this.options
    const producer = new FlowProducer({ connection: redis, prefix })
    producer.on('error', onError)
    return producer
  }
}

/** Redis may be unavailable for a long time: retry until it is back. */
const OPTIONS: JobsOptions = {
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  stackTraceLimit: 1,
}
