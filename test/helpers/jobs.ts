/** Watches jobs, and looks directly at the queue and Redis. */
import { type Job, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { JobData, JobSnapshot } from '../../contract/job.ts'
import { QUEUE_NAME } from '../../journal/journal.ts'
import { closeRedis, connectRedis } from '../../journal/redis.ts'
import { authorization, type Env, get, type Queued } from './app.ts'
import { sharedRedis } from './redis.ts'
import { type Frame, openStream, type Stream } from './sse.ts'

/** A separate connection, closed with the test. */
export async function testRedis(t: Test, url?: string): Promise<Redis> {
  const redis = connectRedis(url ?? (await sharedRedis(t)), 'blocking', '')
  redis.on('error', () => {})
  t.teardown(() => closeRedis(redis))
  return redis
}

/** The queue as an operator's tool sees it, e.g. to remove or retry a job by hand. */
export function operatorQueue(t: Test, env: Env): Queue<JobData> {
  const connection = connectRedis(env.REDIS_URL as string, 'blocking', env.REDIS_PREFIX as string)
  const queue = new Queue<JobData>(QUEUE_NAME, { connection, prefix: env.REDIS_PREFIX as string })
  t.teardown(async () => {
    await queue.close()
    await closeRedis(connection)
  })
  return queue
}

export async function queuedJob(queue: Queue<JobData>, jobId: string): Promise<Job<JobData>> {
  const job = await queue.getJob(jobId)
  if (!job) throw new Error(`the queue has no job ${jobId}`)
  return job
}

export function watch(url: string, job: Queued, lastEventId?: string): Promise<Stream> {
  return openStream(url + job.urls.events, { lastEventId })
}

export function status(url: string, job: Queued): Promise<JobSnapshot> {
  return get<JobSnapshot>(url + job.urls.status)
}

/** Long-polls the state of a job until `is` returns true for it. */
export async function statusWhen(
  url: string,
  job: Queued,
  is: (state: JobSnapshot) => boolean,
): Promise<JobSnapshot> {
  let state = await status(url, job)
  while (!is(state)) {
    if (!state.cursor) throw new Error(`no state but ${JSON.stringify(state)}`)
    state = await get<JobSnapshot>(`${url}${job.urls.status}?after=${state.cursor}&wait=20`)
  }
  return state
}

export async function finished(url: string, job: Queued): Promise<JobSnapshot> {
  return statusWhen(url, job, ({ status }) => ['completed', 'failed', 'cancelled'].includes(status))
}

/** Cancels a job; returns the status and body of the response. */
export async function cancel(url: string, job: Queued): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(url + job.urls.cancel, { method: 'POST', headers: authorization() })
  return [response.status, (await response.json()) as Record<string, unknown>]
}

/** Short forms of events: `type attempt progress`, and the code if there is an error. */
export function brief(frames: Frame[]): string[] {
  return frames.map(({ event, data }) =>
    [event, data.attempt, data.progress, data.error?.code].filter((part) => part !== undefined).join(' '),
  )
}

/** Checks that ids increase, and that the stream starts with `queued` and ends with its only terminal event. */
export function assertWhole(t: Test, frames: Frame[]): void {
  const ids = frames.map(({ id }) => id ?? '')
  t.same([...new Set(ids)].sort(), ids, 'ids rise strictly')
  t.equal(frames[0]?.event, 'queued')
  const ends = frames.flatMap(({ event }, index) =>
    ['completed', 'failed', 'cancelled'].includes(event ?? '') ? index : [],
  )
  t.same(ends, [frames.length - 1], 'exactly one terminal event, the last')
}

/** The events of a job that completed at its first attempt and whose service reported no progress. */
export const SMOOTH = [
  'queued 0 0',
  'active 1 0',
  'progress 1 10',
  'progress 1 20',
  'progress 1 80',
  'progress 1 100',
  'completed 1 100',
]
