/** Adds jobs to the queue with BullMQ's own script; those that arrive together with one call of it. */
import { createRequire } from 'node:module'
import type { JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobData } from '../stages/job.ts'
import { batched } from './batch.ts'

/** BullMQ has no types for its scripts, and no other name for them. */
const { addStandardJob } = createRequire(import.meta.url)('bullmq/dist/cjs/scripts/addStandardJob-9.js') as {
  addStandardJob: { content: string; keys: number }
}
/** Bounds how long Redis does nothing else. */
const JOBS_PER_CALL = 8

/**
 * KEYS as BullMQ's script wants them; ARGV key prefix, options as JSON, then of each job: id, name, time in ms, data.
 * Answers '' when all are in the queue; else one text a job: '' or why it is not. An id that is there already counts
 * as added.
 */
const ADD = `
local function add(KEYS, ARGV)
${addStandardJob.content}
end
local options = cmsgpack.pack(cjson.decode(ARGV[2]))
local answers, failed = {}, false
for at = 3, #ARGV, 4 do
  local place = cmsgpack.pack({ARGV[1], ARGV[at], ARGV[at + 1], ARGV[at + 2]})
  local done, answer = pcall(add, KEYS, {place, ARGV[at + 3], options})
  local fault = ''
  if not done or answer ~= ARGV[at] then
    failed = true
    fault = type(answer) == 'table' and answer.err or tostring(answer)
  end
  answers[#answers + 1] = fault
end
return failed and answers or ''`

type AddingRedis = Redis & { stagecastAdd(...args: string[]): Promise<string[] | ''> }

/** How a job is put into the queue; resolves when Redis has confirmed this very job. */
export type AddJob = (data: JobData) => Promise<void>

/** `open` gives a queue whose connection is known to be usable. */
export function jobAdder(
  connection: Redis,
  open: () => Promise<Queue<JobData>>,
  options: JobsOptions,
): AddJob {
  const redis = connection as AddingRedis
  redis.defineCommand('stagecastAdd', { numberOfKeys: addStandardJob.keys, lua: ADD })
  const written = JSON.stringify(options)

  return batched<JobData, void>(JOBS_PER_CALL, async (jobs) => {
    const { keys } = await open()
    const { wait, paused, meta, id, completed, delayed, active, events, marker } = keys as Record<
      string,
      string
    >
    const args = [
      wait,
      paused,
      meta,
      id,
      completed,
      delayed,
      active,
      events,
      marker,
      keys[''],
      written,
    ] as string[]
    for (const job of jobs)
      args.push(job.job_id, `stage-${job.stage}-execute`, String(job.timestamp), JSON.stringify(job))
    const answers = await redis.stagecastAdd(...args)
    return answers === '' ? [] : answers.map((fault) => (fault === '' ? undefined : new Error(fault)))
  })
}
