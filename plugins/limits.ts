/** Requests per minute and caller, counted in Redis over all API processes; in this process while Redis is away. */
import rateLimit, { type FastifyRateLimitStore, type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { ProblemError } from '../stages/errors.ts'
import { batched } from './batch.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest hook, to stand behind the one that sets `request.user`. */
    throttle: onRequestAsyncHookHandler
  }
}

const WINDOW_MS = 60_000

/** Callers counted by one call. */
const CALLERS_PER_CALL = 100

/** KEYS counters; ARGV window in ms, then by how much each rises. Answers of each the count and what is left, in ms. */
const COUNT = `
local answers = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, ARGV[i + 1])
  if count == tonumber(ARGV[i + 1]) then redis.call('PEXPIRE', key, ARGV[1]) end
  answers[#answers + 1] = count
  answers[#answers + 1] = redis.call('PTTL', key)
end
return answers`

export default fp<{ perMinute: number }>(
  async (app, { perMinute }) => {
    if (perMinute === 0) {
      app.decorate('throttle', async () => {})
      return
    }
    const redis = app.redis as CountingRedis
    redis.defineCommand('stagecastCount', { lua: COUNT })
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

type CountingRedis = Redis & { stagecastCount(...args: (string | number)[]): Promise<number[]> }
type Count = { current: number; ttl: number }

/** A store for @fastify/rate-limit: Redis first, and this process's own counters when Redis does not answer. */
function storeOver(redis: CountingRedis, prefix: string): FastifyRateLimitStoreCtor {
  const local = new LocalCounters()
  const count = batched<string, Count>(CALLERS_PER_CALL, (callers) => countTogether(redis, prefix, callers))
  class Store implements FastifyRateLimitStore {
    incr(key: string, callback: (error: Error | null, result?: Count) => void): void {
      const counted = redis.status === 'ready' ? count(key) : Promise.reject()
      counted.then(
        (result) => callback(null, result),
        () => callback(null, local.increment(key)),
      )
    }
    child(): FastifyRateLimitStore {
      return this
    }
  }
  return Store
}

/** Requests that arrived in one turn, by caller; of those of one caller each has its own place in the count. */
async function countTogether(redis: CountingRedis, prefix: string, callers: string[]): Promise<Count[]> {
  const rises = new Map<string, number>()
  const places = callers.map((caller) => {
    const place = (rises.get(caller) ?? 0) + 1
    rises.set(caller, place)
    return place
  })
  const keys = Array.from(rises.keys(), (caller) => `${prefix}:${caller}`)
  const answers = await redis.stagecastCount(keys.length, ...keys, WINDOW_MS, ...rises.values())
  const ends = new Map(
    Array.from(rises, ([caller, rise], i) => [
      caller,
      { before: (answers[2 * i] as number) - rise, ttl: answers[2 * i + 1] as number },
    ]),
  )
  return callers.map((caller, i) => {
    const { before, ttl } = ends.get(caller) as { before: number; ttl: number }
    return { current: before + (places[i] as number), ttl }
  })
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
