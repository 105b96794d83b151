/** The connection on which requests are answered, and the one way its failures reach a client. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { closeRedis, connectRedis } from '../redis.ts'
import { ProblemError } from '../stages/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** For commands that answer soon; see the `commands` role. */
    redis: Redis
    /** Awaits `command`; any failure of Redis becomes 503 QUEUE_UNAVAILABLE. */
    fromRedis<T>(command: Promise<T>): Promise<T>
    /** Why the queue cannot be used right now, or null when it can. */
    redisFault(): Promise<string | null>
  }
}

export interface RedisPluginOptions {
  url: string
  /** Refuse a Redis that may evict jobs (`maxmemory-policy` other than noeviction). */
  strict: boolean
}

const CONNECT_WITHIN_MS = 1000

export default fp<RedisPluginOptions>(
  async (app, { url, strict }) => {
    const redis = connectRedis(url, 'commands')
    redis.on(
      'error',
      logOncePerSecond((err: Error) => app.log.warn({ err }, 'redis connection')),
    )

    app.decorate('redis', redis)
    app.decorate('fromRedis', async <T>(command: Promise<T>) => {
      try {
        return await command
      } catch (error) {
        app.log.warn({ err: error }, 'redis did not answer')
        throw unavailable()
      }
    })
    app.decorate('redisFault', async () => {
      if (redis.status !== 'ready') return 'Redis is not connected'
      try {
        const info = await redis.info('memory')
        return strict ? evictionFault(info) : null
      } catch {
        return 'Redis does not answer'
      }
    })
    app.addHook('onClose', () => closeRedis(redis))
    // With Redis there, the first request finds it; with Redis away, the API starts all the same.
    await Promise.race([once(redis, 'ready').catch(() => {}), delay(CONNECT_WITHIN_MS, null, { ref: false })])
    const fault = strict && redis.status === 'ready' ? evictionFault(await redis.info('memory')) : null
    if (fault) throw new Error(fault)
  },
  { name: 'redis' },
)

/** The 503 for anything that needs Redis while it is away. */
export function unavailable(extras: { job_id?: string } = {}): ProblemError {
  const detail = 'The queue cannot be reached; nothing was lost, try again shortly'
  return new ProblemError('QUEUE_UNAVAILABLE', detail, { retryAfter: 2, ...extras })
}

function evictionFault(info: string): string | null {
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (!policy || policy === 'noeviction') return null
  return `Redis may evict jobs: set maxmemory-policy to noeviction, it is ${policy}`
}

/** A Redis out of memory or read-only fails thousands of times a second: one line a second is enough. */
export function logOncePerSecond<A extends unknown[]>(log: (...args: A) => void): (...args: A) => void {
  let next = 0
  return (...args) => {
    if (Date.now() < next) return
    next = Date.now() + 1000
    log(...args)
  }
}
