/** Estimates when a job will end, from the durations of the newest completed jobs of its stage. */
import fp from 'fastify-plugin'
import type { Estimate, JobSnapshot } from '../contract/job.ts'

declare module './core.ts' {
  interface Stagecast {
    /** Null for a finished job, and while too few jobs of its stage have completed. Never rejects. */
    estimate(job: JobSnapshot): Promise<Estimate | null>
    /** How long a job of the stage takes, in ms; null while too few have completed. Never rejects. */
    duration(stage: number): Promise<{ p50: number; p90: number } | null>
  }
}

const FEWEST = 20
/** How long durations are cached, in ms. */
const FRESH_MS = 2000

export default fp(
  async (app) => {
    const { redis, journal } = app.stagecast
    /** By stage, in ascending order. */
    const known = new Map<number, { readAt: number; took: Promise<number[]> }>()

    app.stagecast.estimate = async ({ stage, created_at, finished_at }) => {
      if (finished_at !== null) return null
      const takes = await app.stagecast.duration(stage)
      if (!takes) return null
      const now = Date.now()
      // A job that takes longer than estimated will not end in the past.
      const at = (ms: number) => Math.max(now, created_at + ms)
      return { ends_at: { p50: at(takes.p50), p90: at(takes.p90) } }
    }

    app.stagecast.duration = async (stage) => {
      const took = await tookOf(stage)
      if (took.length < FEWEST) return null
      const at = (q: number) => took[Math.ceil(q * took.length) - 1] ?? 0
      return { p50: at(0.5), p90: at(0.9) }
    }

    function tookOf(stage: number): Promise<number[]> {
      const now = performance.now()
      const latest = known.get(stage)
      if (latest && now - latest.readAt < FRESH_MS) return latest.took
      const took = redis.lrange(journal.keys.took(stage), 0, -1).then(
        (texts) => texts.map(Number).sort((a, b) => a - b),
        () => [],
      )
      known.set(stage, { readAt: now, took })
      return took
    }
  },
  { name: 'estimates', dependencies: ['journal'] },
)
