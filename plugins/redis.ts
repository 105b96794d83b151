/** The Redis connection that serves requests, and the only place that turns its failures into client errors. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { REFUSED, unavailable } from '../contract/errors.ts'
import { journalKeys } from '../journal/journal.ts'
import { closeRedis, connectRedis, logOncePerSecond, probeRedis, type RedisSource } from '../journal/redis.ts'

declare module './core.ts' {
  interface Stagecast {
    /** For commands that return quickly; see the `commands` role. */
    redis: Redis
    /** Awaits `command`; any failure of Redis becomes 503 QUEUE_UNAVAILABLE. */
    fromRedis<T>(command: Promise<T>): Promise<T>
    /** Why the queue cannot be used right now; null if it can. */
    redisFault(): Promise<string | null>
  }
}

export interface RedisPluginOptions {
  source: RedisSource
  /** Prefix of all keys. */
  prefix: string
  /** Whether to reject a Redis that may evict jobs (`maxmemory-policy` other than noeviction). */
  strict: boolean
}

const CONNECT_WITHIN_MS = 5000

export default fp<RedisPluginOptions>(
  async (app, { source, prefix, strict }) => {
    const keys = journalKeys(prefix)
    const redis = connectRedis(source, 'commands', prefix)
    redis.on(
      'error',
      logOncePerSecond((err: Error) => app.log.warn({ err }, 'redis connection error')),
    )

    app.stagecast.redis = redis
    app.stagecast.fromRedis = async <T>(command: Promise<T>) => {
      try {
        return await command
      } catch (error) {
        const refused = (error as Error).name === 'ReplyError'
        app.log.warn({ err: error }, refused ? 'redis refused a command' : 'redis did not answer')
        throw refused ? unavailable({}, REFUSED) : unavailable()
      }
    }
    app.stagecast.redisFault = async () => {
      if (redis.status !== 'ready') return 'Redis is not connected'
      try {
        const [info] = await Promise.all([redis.info('memory'), probeRedis(redis, keys)])
        return strict ? evictionFault(info) : null
      } catch (error) {
        return `Redis does not work as needed: ${(error as Error).message}`
      }
    }
    app.addHook('onClose', () => closeRedis(redis))
    // Wait so that the first request finds Redis connected; start anyway if it is unavailable.
    await Promise.race([once(redis, 'ready').catch(() => {}), delay(CONNECT_WITHIN_MS, null, { ref: false })])
    const fault = strict && redis.status === 'ready' ? evictionFault(await redis.info('memory')) : null
    if (fault) throw new Error(fault)
  },
  { name: 'redis' },
)

function evictionFault(info: string): string | null {
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (!policy || policy === 'noeviction') return null
  return `Redis may evict jobs: set maxmemory-policy to noeviction (it is ${policy})`
}
