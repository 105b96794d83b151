/** Requests per minute and caller, counted in Redis over all API processes; in this process while Redis is away. */
import rateLimit, { type FastifyRateLimitStore, type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { ProblemError } from '../stages/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest hook, to stand behind the one that sets `request.user`. */
    throttle: onRequestAsyncHookHandler
  }
}

const WINDOW_MS = 60_000

/** KEYS counter; ARGV window in ms. Answers the count and what is left of the window. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`

export default fp<{ perMinute: number }>(
  async (app, { perMinute }) => {
    if (perMinute === 0) {
      app.decorate('throttle', async () => {})
      return
    }
    const redis = app.redis as CountingRedis
    redis.defineCommand('stagecastCount', { numberOfKeys: 1, lua: COUNT })
    await app.register(rateLimit, {
      global: false,
      max: perMinute,
      timeWindow: WINDOW_MS,
      store: storeOver(redis, app.journal.keys.own('rate')),
      keyGenerator: (request) => request.user.id,
      errorResponseBuilder: (_request, { ttl }) =>
        new ProblemError('RATE_LIMITED', `At most ${perMinute} requests a minute; wait and try again`, {
          retryAfter: Math.max(1, Math.ceil(ttl / 1000)),
        }),
    })
    app.decorate('throttle', app.rateLimit() as onRequestAsyncHookHandler)
  },
  { name: 'limits', dependencies: ['journal', 'auth'] },
)

type CountingRedis = Redis & { stagecastCount(key: string, windowMs: number): Promise<[number, number]> }
type Count = { current: number; ttl: number }

/** A store for @fastify/rate-limit: Redis first, and this process's own counters when Redis does not answer. */
function storeOver(redis: CountingRedis, prefix: string): FastifyRateLimitStoreCtor {
  const local = new LocalCounters()
  class Store implements FastifyRateLimitStore {
    incr(key: string, callback: (error: Error | null, result?: Count) => void): void {
      const counted =
        redis.status === 'ready' ? redis.stagecastCount(`${prefix}:${key}`, WINDOW_MS) : Promise.reject()
      counted.then(
        ([current, ttl]) => callback(null, { current, ttl }),
        () => callback(null, local.increment(key)),
      )
    }
    child(): FastifyRateLimitStore {
      return this
    }
  }
  return Store
}

/** Fixed windows, all of them beginning together, so that forgetting them is one assignment. */
class LocalCounters {
  private counts = new Map<string, number>()
  private endsAt = 0

  increment(key: string): Count {
    const now = Date.now()
    if (now >= this.endsAt) {
      this.counts = new Map()
      this.endsAt = now + WINDOW_MS
    }
    const current = (this.counts.get(key) ?? 0) + 1
    this.counts.set(key, current)
    return { current, ttl: this.endsAt - now }
  }
}
