/** Adds jobs to the queue; those that arrive in one turn of the event loop share their round trips. */
import type { JobsOptions, Queue } from 'bullmq'
import type { JobData } from '../contract/job.ts'
import { batched } from './batch.ts'

/** Puts a job into the queue; resolves when Redis has confirmed this very job. */
export type AddJob = (data: JobData, priority: number) => Promise<void>

/** The job is not in the queue, for certain. After any other error it may be. */
export class NotAdded extends Error {
  override readonly name = 'NotAdded'
}

/** Whether an error says that Redis has not done what it was asked for: it refused, or was not asked. */
function isRefusal({ name, message }: Error): boolean {
  return name === 'ReplyError' || message.includes("isn't writeable")
}

export interface JobAdderOptions {
  /** Gives a queue whose connection is known to be usable. */
  open(): Promise<Queue<JobData>>
  /** Of all jobs. */
  jobOptions: JobsOptions
  /** Of the jobs of a stage. */
  optionsOf?: (stage: number) => JobsOptions
  /** Gives the first events of jobs their positions in the orders of their workflows. */
  place(jobs: readonly JobData[]): Promise<unknown>
}

/** Bounds how long others wait for Redis. */
const JOBS_PER_TURN = 50

interface Adding {
  data: JobData
  priority: number
}

export function jobAdder({ open, jobOptions, optionsOf = () => ({}), place }: JobAdderOptions): AddJob {
  const add = batched<Adding, void>(JOBS_PER_TURN, async (jobs) => {
    const queue = await open().catch((cause) => {
      throw new NotAdded('the queue is not open', { cause })
    })
    const added = jobs.map(({ data, priority }) => ({
      name: `stage-${data.stage}-execute`,
      data,
      opts: {
        ...{ ...jobOptions, ...optionsOf(data.stage) },
        ...{ priority, jobId: data.job_id, timestamp: data.timestamp },
      },
    }))
    // It does not tell which of them failed. To add a job twice is harmless.
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
    // What Redis did not answer may have happened: then all of them are unsure.
    if (!isRefusal(fault)) return fault
    return queue.add(name, data, opts).then(
      () => null,
      (error: Error) => (isRefusal(error) ? new NotAdded(error.message, { cause: error }) : error),
    )
  }
}
