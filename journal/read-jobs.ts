/** Reads what Redis holds of jobs. */
import type { ChainableCommander, Redis } from 'ioredis'
import type { LogEntry } from '../contract/events.ts'
import { batched } from './batch.ts'
import type { JournalKeys } from './journal.ts'
import { JOB_FIELDS, type JobFields } from './snapshot.ts'

/** One job, its parts read one behind the other: the log may be newer than the hash. */
export interface StoredJob {
  fields: JobFields
  /** The outcome as JSON, null while there is none. */
  end: string | null
  /** Oldest first; empty unless it was asked for. */
  log: LogEntry[]
  /** Characters of all that was read of it. */
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
    // The hash first: the script that settles a job stores its outcome in the same moment.
    state: batched<string, StoredJob>(JOBS_PER_PIPELINE, async (jobIds) => {
      const pipeline = redis.pipeline()
      for (const id of jobIds) pipeline.hmget(keys.job(id), ...JOB_FIELDS).get(keys.end(id))
      const answers = await answersOf(pipeline)
      return jobIds.map((_, i) => toStored(answers[2 * i], answers[2 * i + 1], []))
    }),
    // No transaction: a Redis that is out of memory refuses one, also to read.
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

/** The answers of a pipeline; the first error in it is thrown. */
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
