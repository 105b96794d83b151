/** The list of all users' jobs, for administrators. It names no user: whose job one is, the job says. */
import type { Redis } from 'ioredis'
import type { JournalKeys } from './journal.ts'
import { type JobOrigin, jobMember } from './order.ts'
import { loadScript } from './scripts.ts'

/** Jobs that are listed. Older ones can still be read one by one. */
const ALL_CAPACITY = 100_000

/** How long the list is kept after the last job was added, in seconds: as long as a job may wait. */
const TTL_SECONDS = 30 * 86_400

const list = loadScript<1>('list-jobs', { ALL_CAPACITY })

export async function listJobs(redis: Redis, keys: JournalKeys, jobs: readonly JobOrigin[]): Promise<void> {
  if (jobs.length > 0)
    await list.run(redis, { everybody: keys.everybody, ttl: TTL_SECONDS, rest: jobs.map(jobMember) })
}
