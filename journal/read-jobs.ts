/** Reads the stored parts of jobs from Redis. */
import type { Redis } from 'ioredis'
import type { LogEntry } from '../contract/events.ts'
import type { JournalKeys } from './journal.ts'
import { JOB_FIELDS, type JobFields } from './snapshot.ts'

/** One job, its parts read one after the other: the log may be newer than the hash. */
export interface StoredJob {
  fields: JobFields
  /** The outcome as JSON; null while there is none. */
  end: string | null
  /** Oldest first. */
  log: LogEntry[]
  /** Characters read in total. */
  size: number
}

/**
 * Reads jobs with their logs.
 *
 * Commands of one turn of the event loop share a round trip. A pipeline would cost far more: ioredis copies every script of
 * the connection, BullMQ's too, into each. A transaction would be rejected when Redis is out of memory, even for reads.
 */
export function readJobs(redis: Redis, keys: JournalKeys, jobIds: readonly string[]): Promise<StoredJob[]> {
  return Promise.all(
    jobIds.map(async (id) => {
      // The hash first: one script call stores the outcome and updates the hash.
      const [fields, end, lines] = await Promise.all([
        redis.hmget(keys.job(id), ...JOB_FIELDS),
        redis.get(keys.end(id)),
        redis.lrange(keys.log(id), 0, -1),
      ])
      const size = [...fields, end, ...lines].reduce((sum, text) => sum + (text?.length ?? 0), 0)
      return { fields, end, log: lines.map((line) => JSON.parse(line)), size }
    }),
  )
}
