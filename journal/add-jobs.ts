/** Adds jobs to the queue; jobs that are added together share their round trips. */
import type { JobsOptions, Queue } from 'bullmq'
import type { StageLimits } from '../contract/catalogue.ts'
import type { JobData } from '../contract/job.ts'

/** A job, and BullMQ's priority for it. */
export interface Adding {
  data: JobData
  priority: number
}

/** Adds jobs to the queue. Returns for each job null, or an error if Redis did not confirm that it was added. */
export type AddJobs = (jobs: readonly Adding[]) => Promise<(Error | null)[]>

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
  /** Adds the `queued` events of jobs to the order of their workflows. */
  place(jobs: readonly JobData[]): Promise<unknown>
}

/** Attempts and back-off of a job, unless its stage has its own limits. */
export interface JobSettings {
  attempts: number
  backoffMs: number
}

/** BullMQ's options for the jobs of a stage. */
export function jobOptionsOf(settings: JobSettings, limits: StageLimits = {}): JobsOptions {
  const delay = limits.backoff_ms ?? settings.backoffMs
  return {
    attempts: limits.attempts ?? settings.attempts,
    backoff: { type: 'exponential', delay },
    stackTraceLimit: 1,
  }
}

export function jobAdder({ open, optionsOf, place }: JobAdderOptions): AddJobs {
  return async (jobs) => {
    if (jobs.length === 0) return []
    const queue = await open().catch(() => null)
    if (!queue) return jobs.map(() => new NotAdded('the queue is not open'))
    // Calls in one turn share a round trip. BullMQ's `addBulk` costs more, and does not say which job failed.
    const faults = await Promise.all(jobs.map((job) => addOne(queue, job)))
    await place(jobs.filter((_, i) => !faults[i]).map(({ data }) => data))
    return faults
  }

  function addOne(queue: Queue<JobData>, { data, priority }: Adding): Promise<Error | null> {
    const { stage, job_id: jobId, timestamp } = data
    const options = { priority, jobId, timestamp, ...optionsOf(stage) }
    return queue.add(`stage-${stage}-execute`, data, options).then(
      () => null,
      (error: Error) => (isRefusal(error) ? new NotAdded(error.message, { cause: error }) : error),
    )
  }
}
