/** Removes finished jobs and workflows from Redis. A removal can be repeated, because a job's outcome is removed last. */
import type { Redis } from 'ioredis'
import type { JobSnapshot } from '../contract/job.ts'
import { type JournalKeys, STREAM_LENGTH } from './journal.ts'
import { type JobOrigin, jobMember, parseMember, parsePlace, workflowName } from './order.ts'
import { loadScript } from './scripts.ts'

const forget = loadScript<'forgotten' | 'queued'>('forget', { STREAM_LENGTH })
const forgetMessages = loadScript<string>('forget-messages')
const forgetOrder = loadScript<0 | 1>('forget-order', { STREAM_LENGTH })

const MESSAGES_AT_A_TIME = 1000
/** By how much the clocks of Redis and the API processes may differ, in ms. */
const CLOCKS_MS = 600_000

export interface ForgetOptions {
  redis: Redis
  keys: JournalKeys
  resultTtlSeconds: number
  /** Takes a job off the queue; rejects while a worker holds it. */
  remove(jobId: string): Promise<void>
}

/** Removes a finished job. Returns false if the job is in the queue again. */
export async function forgetJob(options: ForgetOptions, job: JobSnapshot): Promise<boolean> {
  const { redis, keys, resultTtlSeconds } = options
  const { job_id: id, data } = job
  // If an operator ended the job, only the queue knows that it has ended. A repeated delete must still find the job.
  await redis.set(keys.end(id), JSON.stringify(job), 'EX', resultTtlSeconds, 'NX')
  await options.remove(id)
  let from = String(Math.max(0, job.created_at - CLOCKS_MS))
  while (from !== '')
    from = await forgetMessages.run(redis, {
      events: keys.events,
      from,
      count: MESSAGES_AT_A_TIME,
      rest: [id],
    })
  const origin: JobOrigin = { ...data, job_id: id }
  const reply = await forget.run(redis, {
    job: keys.job(id),
    outcome: keys.end(id),
    log: keys.log(id),
    summary: keys.summary(id),
    events: keys.events,
    everybody: keys.everybody,
    jobs: keys.jobs(data.user_id),
    queued: keys.queued(data.user_id),
    asked: keys.asked(id),
    id,
    member: jobMember(origin),
    workflow: workflowName(data.user_id, data.workflow_id),
  })
  return reply === 'forgotten'
}

/** The jobs of a workflow, including expired ones, and the last line of its order. */
export async function jobsOfWorkflow(
  { redis, keys }: ForgetOptions,
  userId: string,
  workflowId: string,
): Promise<{ jobIds: string[]; newest: string }> {
  const [lines, members] = await Promise.all([
    redis.lrange(keys.order(userId, workflowId), 0, -1),
    redis.zrange(keys.jobs(userId), '0', '-1'),
  ])
  // Both lists are needed: the order drops its oldest lines, and the user's list drops its oldest jobs.
  const listed = members.map(parseMember).filter((one) => one.workflowId === workflowId.toLowerCase())
  const jobIds = [...lines.map((line) => parsePlace(line).jobId), ...listed.map(({ jobId }) => jobId)]
  return { jobIds: [...new Set(jobIds)], newest: lines.at(-1) ?? '' }
}

/** Removes the order of a workflow, unless it has a line after `newest`. */
export async function forgetWorkflow(
  { redis, keys }: ForgetOptions,
  userId: string,
  workflowId: string,
  newest: string,
): Promise<boolean> {
  const order = keys.order(userId, workflowId)
  const workflow = workflowName(userId, workflowId)
  return (await forgetOrder.run(redis, { order, events: keys.events, workflow, newest })) === 1
}
