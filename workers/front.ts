/** Publishes the first of a stage's delayed jobs of this worker, so that new users get an early turn: see `reserve.ts`. */
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'

/** A delayed job, with its priority in the queue: the lowest comes first. */
export interface Front {
  jobId: string
  priority: number
}

/** Longer than any delay, in seconds. A job that is delayed again is published again. */
const TTL_SECONDS = 60

export function frontWriter(
  redis: Redis,
  key: string,
  log: FastifyBaseLogger,
): (front: Front | null) => void {
  let shown: string | undefined

  async function write(front: Front | null): Promise<void> {
    const before = shown
    shown = front?.jobId
    await Promise.all([
      before !== undefined && before !== shown && redis.zrem(key, before),
      front && redis.zadd(key, front.priority, front.jobId),
      front && redis.expire(key, TTL_SECONDS),
    ])
  }

  return (front) => {
    write(front).catch((err: Error) => log.debug({ err }, 'could not show the first delayed job'))
  }
}
