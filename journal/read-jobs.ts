/** Reads the stored parts of jobs from Redis. */
import type { ChainableCommander, Redis } from 'ioredis'
import type { LogEntry } from '../contract/events.ts'
import { batched } from './batch.ts'
import type { JournalKeys } from './journal.ts'
import { JOB_FIELDS, type JobFields } from './snapshot.ts'

/** One job, its parts read one after the other: the log may be newer than the hash. */
export interface StoredJob {
  fields: JobFields
  /** The outcome as JSON; null while there is none. */
  end: string | null
  /** Oldest first; empty if not requested. */
  log: LogEntry[]
  /** Characters read in total. */
  size: number
}

export interface JobReader {
  /** Without the log. */
  state(jobId: string): Promise<StoredJob>
  /** With their logs. */
  all(jobIds: readonly string[]): Promise<StoredJob[]>
}

const JOBS_PER_PIPELINE = 64

export function jobReader(redis: Redis, keys: JournalKeys): JobReader {
  return {
    // Read the hash first: one script call stores the outcome and updates the hash.
    state: batched<string, StoredJob>(JOBS_PER_PIPELINE, async (jobIds) => {
      const pipeline = redis.pipeline()
      for (const id of jobIds) pipeline.hmget(keys.job(id), ...JOB_FIELDS).get(keys.end(id))
      const answers = await answersOf(pipeline)
      return jobIds.map((_, i) => toStored(answers[2 * i], answers[2 * i + 1], []))
    }),
    // Do not use a transaction: Redis rejects it when out of memory, even for reads.
    async all(jobIds) {
      const pipeline = redis.pipeline()
      for (const id of jobIds)
        pipeline
          .hmget(keys.job(id), ...JOB_FIELDS)
          .get(keys.end(id))
          .lrange(keys.log(id), 0, -1)
      const answers = await answersOf(pipeline)
      return jobIds.map((_, i) => toStored(answers[3 * i], answers[3 * i + 1], answers[3 * i + 2]))
    },
  }
}

/** The replies of a pipeline. Throws the first error. */
export async function answersOf(pipeline: ChainableCommander): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error) throw error
    return value
  })
}

function toStored(hash: unknown, outcome: unknown, lines: unknown): StoredJob {
  const [fields, end, log] = [hash as JobFields, outcome as string | null, lines as string[]]
  const size = [...fields, end, ...log].reduce((sum, text) => sum + (text?.length ?? 0), 0)
  return { fields, end, log: log.map((line) => JSON.parse(line)), size }
}
