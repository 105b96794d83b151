/** Adds jobs to the queue. Jobs that arrive in the same event-loop turn share their round trips. */
import type { JobsOptions, Queue } from 'bullmq'
import type { StageLimits } from '../contract/catalogue.ts'
import type { JobData } from '../contract/job.ts'
import { batched } from './batch.ts'

/** Adds a job to the queue; resolves when Redis has confirmed this job. */
export type AddJob = (data: JobData, priority: number) => Promise<void>

/** The job is certainly not in the queue. After any other error it may be. */
export class NotAdded extends Error {
  override readonly name = 'NotAdded'
}

/** Whether an error means that Redis did not run the command: it rejected it, or never got it. */
function isRefusal({ name, message }: Error): boolean {
  return name === 'ReplyError' || message.includes("isn't writeable")
}

export interface JobAdderOptions {
  /** Returns a queue whose connection is usable. */
  open(): Promise<Queue<JobData>>
  /** Options of a stage's jobs. */
  optionsOf: (stage: number) => JobsOptions
  /** Places the first events of jobs in the orders of their workflows. */
  place(jobs: readonly JobData[]): Promise<unknown>
}

/** What the queue does with a job, where its stage sets nothing of its own. */
export interface JobSettings {
  attempts: number
  backoffMs: number
  keepCompleted: number
  keepFailed: number
}

/** BullMQ's options of the jobs of a stage. */
export function jobOptionsOf(settings: JobSettings, limits: StageLimits = {}): JobsOptions {
  const delay = limits.backoff_ms ?? settings.backoffMs
  return {
    attempts: limits.attempts ?? settings.attempts,
    backoff: { type: 'exponential', delay },
    removeOnComplete: { count: settings.keepCompleted },
    removeOnFail: { count: settings.keepFailed },
    stackTraceLimit: 1,
  }
}

/** Limits how long other commands wait for Redis. */
const JOBS_PER_TURN = 50

interface Adding {
  data: JobData
  priority: number
}

export function jobAdder({ open, optionsOf, place }: JobAdderOptions): AddJob {
  const add = batched<Adding, void>(JOBS_PER_TURN, async (jobs) => {
    const queue = await open().catch((cause) => {
      throw new NotAdded('the queue is not open', { cause })
    })
    const added = jobs.map(({ data, priority }) => ({
      name: `stage-${data.stage}-execute`,
      data,
      opts: {
        ...optionsOf(data.stage),
        ...{ priority, jobId: data.job_id, timestamp: data.timestamp },
      },
    }))
    // `addBulk` does not say which job failed. Adding a job twice is harmless.
    const all = await queue.addBulk(added).then(
      () => null,
      (error: Error) => error,
    )
    const faults = all === null ? [] : await Promise.all(added.map((one) => addAlone(queue, one, all)))
    await place(jobs.filter((_, i) => !faults[i]).map(({ data }) => data))
    return faults.map((fault) => fault ?? undefined)
  })
  return (data, priority) => add({ data, priority })

  async function addAlone(
    queue: Queue<JobData>,
    { name, data, opts }: { name: string; data: JobData; opts: JobsOptions },
    fault: Error,
  ): Promise<Error | null> {
    // Without an answer from Redis, any of them may have been added.
    if (!isRefusal(fault)) return fault
    return queue.add(name, data, opts).then(
      () => null,
      (error: Error) => (isRefusal(error) ? new NotAdded(error.message, { cause: error }) : error),
    )
  }
}
