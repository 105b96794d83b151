/** The line of a stage: its delayed jobs that wait until a worker may start them, in queue order. All workers share it. */
import type { Redis } from 'ioredis'

export interface Line {
  /** Adds a delayed job, by its priority in the queue: the lowest comes first. */
  add(jobId: string, priority: number): Promise<void>
  /** Takes the first job out of the line; null if there is none. The job may have left the delay. */
  takeFirst(): Promise<string | null>
}

/** Jobs come back when their delay ends, and are added again if they still may not start. */
const TTL_SECONDS = 60

export function openLine(redis: Redis, key: string): Line {
  return {
    async add(jobId, priority) {
      await Promise.all([redis.zadd(key, priority, jobId), redis.expire(key, TTL_SECONDS)])
    },
    async takeFirst() {
      const [jobId] = await redis.zpopmin(key)
      return jobId ?? null
    },
  }
}
