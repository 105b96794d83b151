/**
 * Limits requests per minute and caller. Redis counts them for all API processes; while Redis is unavailable, each process
 * counts for itself. A process reserves a few of a caller's requests at a time, so that most requests need no call to
 * Redis. This never allows more than the limit, and each process wastes at most a hundredth of it.
 */
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { batched } from '../journal/batch.ts'
import { userDigest } from '../journal/ids.ts'
import { loadScript } from '../journal/scripts.ts'

declare module './core.ts' {
  interface Stagecast {
    /** onRequest hook, used after the one that sets `request.stagecast.user`. */
    throttle: onRequestHookHandler
  }
}

const WINDOW_MS = 60_000
const REQUESTS_PER_TURN = 100

const countRequests = loadScript<[count: number, ttlMs: number]>('count-requests')

/** Share of the limit that a process reserves at a time, and the maximum number. */
const SHARE_AT_A_TIME = 0.01
const MOST_AT_A_TIME = 10

/** A caller's current minute: requests so far, including this one, and the time left in ms. */
interface Count {
  current: number
  ttl: number
}

export default fp<{ perMinute: number }>(
  async (app, { perMinute }) => {
    if (perMinute === 0) {
      app.stagecast.throttle = (_request, _reply, done) => done()
      return
    }
    const { redis } = app.stagecast
    const prefix = app.stagecast.journal.keys.own('rate')
    const atATime = Math.min(MOST_AT_A_TIME, Math.max(1, Math.floor(perMinute * SHARE_AT_A_TIME)))
    const allowances = new Allowances(perMinute)
    const count = batched<string, Count>(REQUESTS_PER_TURN, (callers) => countTogether(callers))
    const local = new LocalCounters()

    app.stagecast.throttle = (request, reply, done) => {
      const caller = request.stagecast.user.id
      const judge = ({ current, ttl }: Count) => {
        const seconds = Math.ceil(ttl / 1000)
        reply.header('x-ratelimit-limit', perMinute)
        reply.header('x-ratelimit-remaining', Math.max(0, perMinute - current))
        reply.header('x-ratelimit-reset', seconds)
        if (current <= perMinute) return done()
        const detail = `At most ${perMinute} requests a minute; wait and try again`
        done(new ProblemError('RATE_LIMITED', detail, { retryAfter: Math.max(1, seconds) }))
      }
      const taken = allowances.take(caller)
      if (taken) judge(taken)
      else if (redis.status === 'ready') count(caller).then(judge, () => judge(local.increment(caller)))
      else judge(local.increment(caller))
    }

    /** Counts the requests of one event-loop turn; one call per caller, which gives each request its own number. */
    async function countTogether(callers: string[]): Promise<Count[]> {
      const requests = new Map<string, number>()
      for (const caller of callers) requests.set(caller, (requests.get(caller) ?? 0) + 1)
      const counted = Array.from(requests, async ([caller, number]): Promise<[string, Count]> => {
        const rise = Math.max(number, atATime)
        const call = { counter: `${prefix}:${userDigest(caller)}`, requests: rise, window: WINDOW_MS }
        const [to, ttl] = await countRequests.run(redis, call)
        const current = to - rise
        allowances.grant(caller, current + number, to, ttl)
        return [caller, { current, ttl }]
      })
      const counts = new Map(await Promise.all(counted))
      return callers.map((caller) => {
        const count = counts.get(caller) as Count
        count.current += 1
        return { ...count }
      })
    }
  },
  { name: 'limits', dependencies: ['journal', 'auth'] },
)

/** Requests that were counted in Redis in advance. */
class Allowances {
  private readonly perMinute: number
  private readonly held = new Map<string, { current: number; to: number; endsAt: number }>()
  private forgetAt = 0

  constructor(perMinute: number) {
    this.perMinute = perMinute
  }

  /** The number of the caller's next request, or null if none is reserved. */
  take(caller: string): Count | null {
    const allowance = this.held.get(caller)
    const now = performance.now()
    if (!allowance || allowance.current >= allowance.to || now >= allowance.endsAt) return null
    allowance.current += 1
    return { current: allowance.current, ttl: allowance.endsAt - now }
  }

  /** Reserves the requests after `current` up to `to`. */
  grant(caller: string, current: number, to: number, ttl: number): void {
    const now = performance.now()
    if (now >= this.forgetAt) {
      this.held.clear()
      this.forgetAt = now + WINDOW_MS
    }
    this.held.set(caller, { current, to: Math.min(to, this.perMinute), endsAt: now + ttl })
  }
}

/** Fixed windows that all start at the same time, so that one assignment clears them. */
class LocalCounters {
  private counts = new Map<string, number>()
  private endsAt = 0

  increment(key: string): Count {
    const now = performance.now()
    if (now >= this.endsAt) {
      this.counts = new Map()
      this.endsAt = now + WINDOW_MS
    }
    const current = (this.counts.get(key) ?? 0) + 1
    this.counts.set(key, current)
    return { current, ttl: this.endsAt - now }
  }
}
