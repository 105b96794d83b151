/** Periodic maintenance by the API processes: finishes interrupted additions, drops expired jobs, keeps priorities low. */
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobData } from '../contract/job.ts'
import type { JournalKeys } from './journal.ts'
import { toPriority } from './reserve.ts'

/** Longer than any command takes, in ms. */
const UNFINISHED_AFTER_MS = 10_000
const UNFINISHED_AT_A_TIME = 100
const EXPIRED_AT_A_TIME = 1000
/** Distance from the base after which it is moved. */
export const REBASE_AFTER = 1_000_000
const REBASE_WITHIN_MS = 60_000

export interface TidyOptions {
  redis: Redis
  keys: JournalKeys
  queue: Queue<JobData>
  /** Adds the `queued` events of jobs to the order of their workflows. */
  place(jobs: JobData[]): Promise<unknown>
  resultTtlSeconds: number
}

export async function tidyQueue(options: TidyOptions): Promise<void> {
  const { redis, keys } = options
  const [seconds] = await redis.time()
  await finishAdding(options, Number(seconds) * 1000)
  await dropExpired(options, Number(seconds) * 1000)
  const [last, base, isUnfinished] = await redis.hmget(keys.turns, 'last', 'base', 'rebasing')
  if (!isUnfinished && Number(last) - Number(base) < REBASE_AFTER) return
  const isMine = await redis.set(keys.own('rebasing'), '1', 'PX', REBASE_WITHIN_MS, 'NX')
  if (isMine) await rebase(options).finally(() => redis.del(keys.own('rebasing')))
}

/**
 * A process may exit between any two steps of adding a job. If the job is in the queue, place it, so that it is listed and
 * appears in its workflow's stream; otherwise remove its reservation.
 */
async function finishAdding({ redis, keys, place }: TidyOptions, now: number): Promise<void> {
  const until = now - UNFINISHED_AFTER_MS
  const members = await redis.zrangebyscore(keys.adding, '-inf', until, 'LIMIT', 0, UNFINISHED_AT_A_TIME)
  for (const member of members) {
    const [id = '', user = ''] = member.split(' ')
    const data = await redis.hget(keys.job(id), 'data')
    if (data) await place([{ ...JSON.parse(data), job_id: id }])
    else await redis.multi().zrem(keys.own('queued', user), id).zrem(keys.adding, member).exec()
  }
}

/**
 * Drops finished jobs and their events once their result has expired. BullMQ itself removes old jobs only when another job
 * ends, and trims its event stream only by length.
 */
async function dropExpired(
  { redis, keys, queue, resultTtlSeconds }: TidyOptions,
  now: number,
): Promise<void> {
  const ttlMs = resultTtlSeconds * 1000
  // BullMQ announces every clean, even if it removed nothing.
  for (const state of ['completed', 'failed'] as const)
    while ((await redis.zcount(keys.own(state), '-inf', now - ttlMs)) > 0)
      if ((await queue.clean(ttlMs, EXPIRED_AT_A_TIME, state)).length < EXPIRED_AT_A_TIME) break
  await redis.xtrim(keys.events, 'MINID', now - ttlMs)
}

/**
 * Moves the base of priorities to the newest turn. Jobs change from the front of the queue, which keeps their order. The
 * operation can be interrupted anywhere and repeated.
 */
async function rebase({ redis, keys, queue }: TidyOptions): Promise<void> {
  const last = Number(await redis.hget(keys.turns, 'last'))
  await redis.hset(keys.turns, 'base', last, 'rebasing', 1)
  const ids = [
    ...(await redis.zrange(keys.own('prioritized'), '0', '-1')),
    ...(await redis.zrange(keys.own('delayed'), '0', '-1')),
    ...(await redis.lrange(keys.own('active'), 0, -1)),
  ]
  for (const id of ids) {
    const job = await queue.getJob(id)
    // A job without a priority is first and stays first.
    if (!job?.priority) continue
    // A job that has started no longer waits for its turn.
    const turn = Number((await redis.zscore(keys.queued(job.data.user_id), id)) ?? last)
    // The job may have left the queue.
    await job.changePriority({ priority: toPriority(Math.max(1, turn - last)) }).catch(() => {})
  }
  await redis.hdel(keys.turns, 'rebasing')
}
