/** Adds jobs to the queue with BullMQ's own script; those that arrive together with one call of it. */
import { createRequire } from 'node:module'
import type { JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { FIRST_ID } from '../contract/events.ts'
import type { JobData } from '../contract/job.ts'
import { batched } from './batch.ts'
import type { JournalKeys } from './journal.ts'
import { IDLE_SECONDS, jobMember, PLACE_EVENTS, workflowName } from './order.ts'

/** BullMQ has no types for its scripts, and no other name for them. */
const { addStandardJob } = createRequire(import.meta.url)('bullmq/dist/cjs/scripts/addStandardJob-9.js') as {
  addStandardJob: { content: string }
}
/** The keys its script wants, as a queue names them. */
const QUEUE_KEYS = [
  ...['wait', 'paused', 'meta', 'id', 'completed'],
  ...['delayed', 'active', 'events', 'marker'],
]
/** Bounds how long Redis does nothing else. */
const JOBS_PER_CALL = 8

/**
 * KEYS as BullMQ's script wants them, then of each job: order of its workflow, list of its user; ARGV key prefix, options
 * as JSON, TTL of order and list in s, then of each job: id, name, time in ms, data, member of the list, name of the
 * workflow. Answers '' when all are in the queue; else one text a job: '' or why it is not. An id that is there already
 * counts as added.
 *
 * A job and the place of its `queued` are one step, and what BullMQ announces tells of both: `placed` stands in the hash
 * that it stores, and the place in its event `added`. Should the place fail, the worker makes good for it with the job's
 * first line.
 */
const ADD = `${PLACE_EVENTS}
local function add(redis, KEYS, ARGV)
${addStandardJob.content}
end
local call = redis.call
local current
local function placing(command, key, ...)
  if command == 'HMSET' and key == current.job then
    return call(command, key, 'placed', '${FIRST_ID}', ...)
  end
  if command == 'XADD' and select(3, ...) == 'added' then
    local done, places = pcall(place, false, current.order, current.jobs, current.id, current.member, ARGV[3], '${FIRST_ID}')
    if done then return call(command, key, '*', 'workflow', current.workflow, 'places', places, select(2, ...)) end
    call('HDEL', current.job, 'placed')
  end
  return call(command, key, ...)
end
local hooked = { call = placing, pcall = redis.pcall }
local options = cmsgpack.pack(cjson.decode(ARGV[2]))
local answers, failed = {}, false
for at = 4, #ARGV, 6 do
  local id = ARGV[at]
  local keys = 10 + 2 * #answers
  current = { id = id, job = ARGV[1] .. id, order = KEYS[keys], jobs = KEYS[keys + 1],
    member = ARGV[at + 4], workflow = ARGV[at + 5] }
  local job = cmsgpack.pack({ ARGV[1], id, ARGV[at + 1], ARGV[at + 2] })
  local done, answer = pcall(add, hooked, KEYS, { job, ARGV[at + 3], options })
  local fault = ''
  if not done or answer ~= id then
    failed = true
    fault = type(answer) == 'table' and answer.err or tostring(answer)
  end
  answers[#answers + 1] = fault
end
return failed and answers or ''`

type AddingRedis = Redis & { stagecastAdd(...args: (string | number)[]): Promise<string[] | ''> }

/** How a job is put into the queue; resolves when Redis has confirmed this very job. */
export type AddJob = (data: JobData) => Promise<void>

export interface JobAdderOptions {
  keys: JournalKeys
  /** Gives a queue whose connection is known to be usable. */
  open(): Promise<Queue<JobData>>
  /** Of all jobs. */
  jobOptions: JobsOptions
  resultTtlSeconds: number
}

export function jobAdder(connection: Redis, options: JobAdderOptions): AddJob {
  const redis = connection as AddingRedis
  redis.defineCommand('stagecastAdd', { lua: ADD })
  const written = JSON.stringify(options.jobOptions)

  return batched<JobData, void>(JOBS_PER_CALL, async (jobs) => {
    const { keys } = await options.open()
    const names = QUEUE_KEYS.map((name) => keys[name] as string)
    const args: (string | number)[] = [keys[''] as string, written, options.resultTtlSeconds + IDLE_SECONDS]
    for (const job of jobs) {
      names.push(options.keys.order(job.user_id, job.workflow_id), options.keys.jobs(job.user_id))
      args.push(job.job_id, `stage-${job.stage}-execute`, String(job.timestamp), JSON.stringify(job))
      args.push(jobMember(job), workflowName(job.user_id, job.workflow_id))
    }
    const answers = await redis.stagecastAdd(names.length, ...names, ...args)
    return answers === '' ? [] : answers.map((fault) => (fault === '' ? undefined : new Error(fault)))
  })
}
