/** Reads the stored parts of jobs from Redis. */
import type { Redis } from 'ioredis'
import type { LogEntry } from '../contract/events.ts'
import { batched } from './batch.ts'
import type { JournalKeys } from './journal.ts'
import { loadScript } from './scripts.ts'
import { JOB_FIELDS, type JobFields } from './snapshot.ts'

/** A job's state, read at one moment. */
export interface StoredState {
  fields: JobFields
  /** The outcome as JSON; null while there is none. */
  end: string | null
}

/** A job whose parts were read one after the other, so its log may be newer than its hash. */
export interface StoredJob extends StoredState {
  /** Oldest first. */
  log: LogEntry[]
  /** Characters read in total. */
  size: number
}

const readStates = loadScript<JobFields[]>('read-jobs')

/** How many jobs one call reads. This limits how long other commands wait for Redis. */
const JOBS_PER_CALL = 64

/**
 * Returns a function that reads the state of a job. Jobs requested in one turn of the event loop are read by one script
 * call. With a command for each job, API, Redis and client would wake up for each, which costs more than the rest of the
 * response. A pipeline costs as much, because ioredis copies every script of the connection, including BullMQ's, into it.
 */
export function stateReader(redis: Redis, keys: JournalKeys): (jobId: string) => Promise<StoredState> {
  const fields = JOB_FIELDS.join(' ')
  const prefix = keys.job('')
  return batched(JOBS_PER_CALL, async (rest) => {
    const states = await readStates.run(redis, { prefix, fields, rest })
    return states.map((values) => ({ fields: values, end: values[JOB_FIELDS.length] ?? null }))
  })
}

/** Reads jobs with their logs, all in one round trip. */
export function readJobs(redis: Redis, keys: JournalKeys, jobIds: readonly string[]): Promise<StoredJob[]> {
  return Promise.all(
    jobIds.map(async (id) => {
      // Read the hash first: one script call stores the outcome and updates the hash.
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
