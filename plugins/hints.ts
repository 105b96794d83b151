/**
 * Sends hints to clients that watch a waiting job: what it waits for, whenever that changes. One periodic read serves all
 * watched jobs; if no waiting job is watched here, Redis is not asked.
 */
import fp from 'fastify-plugin'
import { isCutOff, serving, type WorkerState } from '../contract/fleet.ts'
import type { Hint } from '../contract/job.ts'
import { QUEUE_NAME } from '../journal/journal.ts'
import { readWorkers } from '../journal/workers.ts'
import type { Feed, WaitingJob } from '../watch/feed.ts'

const EVERY_MS = 2000
/** How many jobs at the head of the queue get a position. */
const WINDOW = 1000
/** Maximum delayed jobs to look up per round. */
const DELAYED = 1000
/** A job that a worker postpones because its stage cannot start is delayed for less than this, in ms. */
const PUT_OFF_MS = 10_500
/** BullMQ stores the due time of a delayed job in the upper digits of its score. */
const DELAY_SCALE = 4096

/** The queue as seen by waiting jobs. */
interface Line {
  waiting: number
  /** Positions of the first jobs, 1 = next. */
  positions: Map<string, number>
  /** When delayed jobs are due, epoch ms. */
  due: Map<string, number>
  /** Redis's clock, epoch ms. */
  now: number
  workers: WorkerState[]
  isPaused: boolean
}

export default fp(
  async (app) => {
    const { redis, journal, progress, workflows, pauses } = app.stagecast
    let busy = false
    const timer = setInterval(() => void round(), EVERY_MS)
    timer.unref()
    app.addHook('preClose', async () => clearInterval(timer))

    async function round(): Promise<void> {
      const feeds: Feed[] = []
      const watched = new Set<string>()
      for (const feed of [...progress.all(), ...workflows.all()]) {
        if (feed.hints.size > 0) forgetOld(feed)
        const jobs = feed.waiting()
        if (jobs.length > 0) feeds.push(feed)
        for (const { jobId } of jobs) watched.add(jobId)
      }
      if (feeds.length === 0 || busy || redis.status !== 'ready') return
      busy = true
      try {
        const line = await look([...watched].slice(0, DELAYED))
        for (const feed of feeds) tell(feed, line)
      } catch (err) {
        app.log.debug({ err }, 'no hints: Redis did not answer')
      } finally {
        busy = false
      }
    }

    /** Needs a fixed number of commands, regardless of the number of jobs and clients. */
    async function look(jobIds: string[]): Promise<Line> {
      const wait = journal.keys.own('wait')
      const prioritized = journal.keys.own('prioritized')
      const [pushed, first, turns, next, scores, announced, [seconds]] = await Promise.all([
        redis.llen(wait),
        redis.lrange(wait, -WINDOW, -1),
        redis.zcard(prioritized),
        redis.zrange(prioritized, '0', String(WINDOW - 1)),
        redis.zmscore(journal.keys.own('delayed'), ...jobIds),
        redis.hgetall(journal.keys.workers),
        redis.time(),
      ])
      const now = Number(seconds) * 1000
      const workers = readWorkers(announced, now)
      // Workers take from the right end of the list first, then by priority.
      const line = [...first.reverse(), ...next].slice(0, WINDOW)
      const positions = new Map(line.map((id, i) => [id, i + 1]))
      const due = new Map<string, number>()
      for (const [i, score] of scores.entries())
        if (score !== null) due.set(jobIds[i] as string, Math.floor(Number(score) / DELAY_SCALE))
      const isPaused = pauses.current().includes(QUEUE_NAME)
      return { waiting: pushed + turns, positions, due, now, workers, isPaused }
    }
  },
  { name: 'hints', dependencies: ['journal', 'pauses', 'progress', 'workflows'] },
)

function tell(feed: Feed, line: Line): void {
  // The job may have started in the meantime.
  for (const job of feed.waiting()) {
    const hint = hintOf(job, line)
    if (!hint || JSON.stringify(feed.hints.get(job.jobId)) === JSON.stringify(hint)) continue
    feed.hints.set(job.jobId, hint)
    for (const follower of feed.followers) follower.hinted?.(hint)
  }
}

/** Null if the job is not in the queue: it is just starting, or has just ended. */
function hintOf({ jobId, stage, isRetrying }: WaitingJob, line: Line): Hint | null {
  const { waiting, positions, due, now, workers, isPaused } = line
  const position = positions.get(jobId) ?? null
  const dueAt = due.get(jobId) ?? null
  if (position === null && dueAt === null && waiting <= WINDOW) return null
  const able = serving(stage, workers)
  const lack = isCutOff(stage, able) ? 'circuit' : able.length === 0 ? 'worker' : 'turn'
  // A job is also delayed if it cannot start now: its circuit is open, its stage is at its concurrency limit, or none of
  // the workers serves its stage.
  const isHeld = lack === 'circuit' || (lack === 'worker' && workers.length > 0)
  const isPutOff = isHeld ? (dueAt ?? 0) <= now + PUT_OFF_MS : !isRetrying
  const isRetry = dueAt !== null && dueAt > now && !isPutOff
  if (dueAt !== null && !isRetry && isRetrying && lack === 'turn' && !isPaused) return null
  return {
    job_id: jobId,
    // A pause comes first: until it ends, no job is handed out.
    waiting_for: isPaused ? 'paused' : isRetry ? 'retry' : lack,
    position,
    waiting,
    retry_at: isRetry ? dueAt : null,
  }
}

/** Drops the hints of jobs that no longer wait. */
function forgetOld(feed: Feed): void {
  const waiting = new Set(feed.waiting().map(({ jobId }) => jobId))
  for (const id of feed.hints.keys()) if (!waiting.has(id)) feed.hints.delete(id)
}
