/** Running jobs whose steps the benchmark writes as a worker does: with a lock, through the writer. */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { JobData } from '../contract/job.ts'
import { type JournalKeys, journalKeys } from '../journal/journal.ts'
import { connectRedis } from '../journal/redis.ts'
import { JournalWriter } from '../workers/journal-writer.ts'
import type { Bench } from './benchmark.ts'
import { type Accepted, executeJob, token } from './stagecast.ts'

export interface RunningJob extends Accepted {
  writer: JournalWriter
}

export interface RunningJobs {
  all: RunningJob[]
  redis: Redis
  keys: JournalKeys
  close(): void
}

const AT_ONCE = 50

/** Executes `count` jobs over HTTP and begins an attempt of each. No worker may run. */
export async function startJobs(
  bench: Bench,
  api: string,
  prefix: string,
  count: number,
): Promise<RunningJobs> {
  const redis = connectRedis(bench.redisUrl, 'blocking', prefix)
  const keys = journalKeys(prefix)
  const bearer = token('user-1')
  const all = await inParallel(count, async (): Promise<RunningJob> => {
    const job = await executeJob(api, bearer)
    const lock = randomUUID()
    await redis.set(keys.lock(job.job_id), lock)
    const stored = await redis.hget(keys.job(job.job_id), 'data')
    const journal = {
      data: JSON.parse(stored ?? '') as JobData,
      maxAttempts: 3,
      createdAt: Date.now(),
      processedAt: null,
      last: null,
      cancel: null,
      abandonedAt: null,
    }
    const writer = new JournalWriter(journal, {
      redis,
      keys,
      token: lock,
      logTtlSeconds: 86_400,
      resultTtlSeconds: 86_400,
    })
    await writer.begin(1, 3, [], [{ type: 'active', progress: 0, message: 'attempt 1 begins' }])
    return { ...job, writer }
  })
  return { all, redis, keys, close: () => redis.disconnect() }
}

/** Results of `count` calls of `make`, some of them concurrent. */
export async function inParallel<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  let begun = 0
  const maker = async () => {
    while (begun < count) {
      begun += 1
      made.push(await make())
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, maker))
  return made
}
