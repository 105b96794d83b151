/** Requests per minute and caller, counted in Redis over all API processes; in this process while Redis is away. */
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { ProblemError } from '../stages/errors.ts'
import { batched } from './batch.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest hook, to stand behind the one that sets `request.user`. */
    throttle: onRequestHookHandler
  }
}

const WINDOW_MS = 60_000
/** Requests counted by one call. */
const REQUESTS_PER_CALL = 100

/** KEYS counters; ARGV window in ms, then by how much each rises. Answers of each `<count> <what is left in ms> `. */
const COUNT = `
local answer = ''
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, ARGV[i + 1])
  if count == tonumber(ARGV[i + 1]) then redis.call('PEXPIRE', key, ARGV[1]) end
  answer = answer .. count .. ' ' .. redis.call('PTTL', key) .. ' '
end
return answer`

/** What is known of a caller's minute: the requests in it so far, this one included, and its rest in ms. */
interface Count {
  current: number
  ttl: number
}

export default fp<{ perMinute: number }>(
  async (app, { perMinute }) => {
    if (perMinute === 0) {
      app.decorate('throttle', (_request, _reply, done) => done())
      return
    }
    const redis = app.redis as CountingRedis
    redis.defineCommand('stagecastCount', { lua: COUNT })
    const prefix = app.journal.keys.own('rate')
    const count = batched<string, Count>(REQUESTS_PER_CALL, (callers) =>
      countTogether(redis, prefix, callers),
    )
    const local = new LocalCounters()

    app.decorate('throttle', (request, reply, done) => {
      const caller = request.user.id
      const judge = ({ current, ttl }: Count) => {
        const seconds = Math.ceil(ttl / 1000)
        reply.header('x-ratelimit-limit', perMinute)
        reply.header('x-ratelimit-remaining', Math.max(0, perMinute - current))
        reply.header('x-ratelimit-reset', seconds)
        if (current <= perMinute) return done()
        const detail = `At most ${perMinute} requests a minute; wait and try again`
        done(new ProblemError('RATE_LIMITED', detail, { retryAfter: Math.max(1, seconds) }))
      }
      if (redis.status === 'ready') count(caller).then(judge, () => judge(local.increment(caller)))
      else judge(local.increment(caller))
    })
  },
  { name: 'limits', dependencies: ['journal', 'auth'] },
)

type CountingRedis = Redis & { stagecastCount(...args: (string | number)[]): Promise<string> }

/** Requests that arrived in one turn; of those of one caller each has its own place in the count. */
async function countTogether(redis: CountingRedis, prefix: string, callers: string[]): Promise<Count[]> {
  const rises = new Map<string, number>()
  for (const caller of callers) rises.set(caller, (rises.get(caller) ?? 0) + 1)
  const keys = Array.from(rises.keys(), (caller) => `${prefix}:${caller}`)
  const answer = await redis.stagecastCount(keys.length, ...keys, WINDOW_MS, ...rises.values())
  const numbers = answer.split(' ')
  const counts = new Map<string, Count>()
  for (const [caller, rise] of rises) {
    const at = 2 * counts.size
    counts.set(caller, { current: Number(numbers[at]) - rise, ttl: Number(numbers[at + 1]) })
  }
  return callers.map((caller) => {
    const count = counts.get(caller) as Count
    count.current += 1
    return { ...count }
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
