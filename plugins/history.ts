/** Keeps the history of the queue by minute, and reads it. See `journal/history.ts`. */
import fp from 'fastify-plugin'
import type { HistoryPoint } from '../contract/history.ts'
import { MINUTE_MS, type Minute, most, readMinutes, toPoints, writeMinutes } from '../journal/history.ts'
import { endedByMinute, TALLIED_MINUTES } from '../journal/tally.ts'
import type { Fleet } from './fleet.ts'

export interface History {
  /** When it was read, epoch ms. */
  at: number
  /** Minutes that a point covers. */
  step: number
  points: HistoryPoint[]
}

declare module './core.ts' {
  interface Stagecast {
    history: {
      /** The last `hours`, 1 to 24. Throws 503 while Redis is unavailable. */
      read(hours: number): Promise<History>
      /** Reads the state of the queue and stores it. Rejects if Redis does not answer. */
      keep(): Promise<void>
    }
  }
}

/** As often as `fleet.ts` reads the state anyway. */
const KEEP_EVERY_MS = 30_000

export default fp(
  async (app) => {
    const { redis, journal, fleet, fromRedis } = app.stagecast
    /** The waiting and running jobs that this process saw in the last minutes. */
    const seen = new Map<number, Pick<Minute, 'waiting' | 'active'>>()
    let kept = 0

    app.stagecast.history = {
      async read(hours) {
        const now = await fleet.read()
        const minute = minuteOf(now)
        // A chart shows at most about a hundred points.
        const step = hours <= 1 ? 1 : hours <= 6 ? 5 : 15
        const length = hours * 60
        const stored = await fromRedis(readMinutes(redis, journal.keys, minute, length))
        for (const one of look(now, stored, minute - TALLIED_MINUTES + 1)) stored.set(one.minute, one)
        return { at: now.at, step, points: toPoints(stored, minute, length / step, step) }
      },
      async keep() {
        const now = await fleet.read()
        const minute = minuteOf(now)
        // The previous minute may have changed after it was written. After a break, add the minutes whose counts still exist.
        const from = Math.max(Math.min(kept, minute) - 1, minute - TALLIED_MINUTES + 1)
        const stored = await readMinutes(redis, journal.keys, minute, minute - from + 1)
        await writeMinutes(redis, journal.keys, look(now, stored, from))
        kept = minute
      },
    }

    const keeping = setInterval(() => {
      app.stagecast.history.keep().catch((err) => app.log.debug({ err }, 'could not keep the history'))
    }, KEEP_EVERY_MS).unref()
    app.addHook('preClose', async () => clearInterval(keeping))

    /** The minutes from `from` to now: stored values, what this process saw, and the counts of ended jobs. */
    function look(now: Fleet, stored: ReadonlyMap<number, Minute>, from: number): Minute[] {
      const last = minuteOf(now)
      const { waiting, active } = now.queue
      const before = seen.get(last)
      seen.set(last, {
        waiting: most(waiting, before?.waiting ?? null),
        active: most(active, before?.active ?? null),
      })
      for (const minute of seen.keys()) if (minute < last - 1) seen.delete(minute)
      return endedByMinute(now.tallies, from, last).map((one) => ({
        ...one,
        waiting: most(seen.get(one.minute)?.waiting ?? null, stored.get(one.minute)?.waiting ?? null),
        active: most(seen.get(one.minute)?.active ?? null, stored.get(one.minute)?.active ?? null),
      }))
    }
  },
  { name: 'history', dependencies: ['fleet', 'journal', 'redis'] },
)

function minuteOf({ at }: Fleet): number {
  return Math.floor(at / MINUTE_MS)
}
