/**
 * Requests per minute and caller, counted in Redis over all API processes; in this process while Redis is away. A process
 * takes a caller's requests a few at a time, so that most of them need no look at Redis: no more than the limit are ever
 * let through, and at most a hundredth of it for each process is left unused.
 */
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { ProblemError } from '../contract/errors.ts'
import { batched } from '../journal/batch.ts'

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

/** The part of the limit that a process takes at a time, and the most. */
const SHARE_AT_A_TIME = 0.01
const MOST_AT_A_TIME = 10

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
    const atATime = Math.min(MOST_AT_A_TIME, Math.max(1, Math.floor(perMinute * SHARE_AT_A_TIME)))
    const leases = new Leases(perMinute)
    const count = batched<string, Count>(REQUESTS_PER_CALL, (callers) => countTogether(callers))
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
      const taken = leases.take(caller)
      if (taken) judge(taken)
      else if (redis.status === 'ready') count(caller).then(judge, () => judge(local.increment(caller)))
      else judge(local.increment(caller))
    })

    /** Requests that arrived in one turn; of those of one caller each has its own place in the count. */
    async function countTogether(callers: string[]): Promise<Count[]> {
      const requests = new Map<string, number>()
      for (const caller of callers) requests.set(caller, (requests.get(caller) ?? 0) + 1)
      const names = Array.from(requests.keys(), (caller) => `${prefix}:${caller}`)
      const rises = Array.from(requests.values(), (number) => Math.max(number, atATime))
      const numbers = (await redis.stagecastCount(names.length, ...names, WINDOW_MS, ...rises)).split(' ')
      const counts = new Map<string, Count>()
      for (const [i, caller] of [...requests.keys()].entries()) {
        const [to, ttl] = [Number(numbers[2 * i]), Number(numbers[2 * i + 1])]
        const current = to - (rises[i] as number)
        counts.set(caller, { current, ttl })
        leases.grant(caller, current + (requests.get(caller) as number), to, ttl)
      }
      return callers.map((caller) => {
        const count = counts.get(caller) as Count
        count.current += 1
        return { ...count }
      })
    }
  },
  { name: 'limits', dependencies: ['journal', 'auth'] },
)

type CountingRedis = Redis & { stagecastCount(...args: (string | number)[]): Promise<string> }

/** Requests that were counted before they came. */
class Leases {
  private readonly perMinute: number
  private readonly held = new Map<string, { current: number; to: number; endsAt: number }>()
  private forgetAt = 0

  constructor(perMinute: number) {
    this.perMinute = perMinute
  }

  /** The place of a caller's next request, or null when none is left. */
  take(caller: string): Count | null {
    const lease = this.held.get(caller)
    const now = Date.now()
    if (!lease || lease.current >= lease.to || now >= lease.endsAt) return null
    lease.current += 1
    return { current: lease.current, ttl: lease.endsAt - now }
  }

  /** Of the requests counted up to `to`, those behind `current` have yet to come. */
  grant(caller: string, current: number, to: number, ttl: number): void {
    const now = Date.now()
    if (now >= this.forgetAt) {
      this.held.clear()
      this.forgetAt = now + WINDOW_MS
    }
    this.held.set(caller, { current, to: Math.min(to, this.perMinute), endsAt: now + ttl })
  }
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
