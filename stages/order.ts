/**
 * The order of the events of one workflow, over all its jobs. It holds no events, only their places: which job, which
 * event of it. The events themselves stand in the logs of the jobs, so that the two cannot disagree; the places are
 * written by the very script calls that write the logs.
 *
 * Beside it stands the list of a user's jobs, in the order in which they were accepted.
 */
import { type EventId, FIRST_ID, LOG_CAPACITY } from './events.ts'
import type { JobData } from './job.ts'

/** Where a job belongs. */
export type JobOrigin = Pick<JobData, 'job_id' | 'stage' | 'workflow_id' | 'user_id'>

/** Places of one workflow that are kept: those of twenty full logs. */
export const ORDER_CAPACITY = 20 * LOG_CAPACITY

/** Jobs of one user that are listed; older ones can still be read one by one. */
export const JOBS_CAPACITY = 10_000

/** How long order and list outlive their last news, beyond the results; in seconds. */
export const IDLE_SECONDS = 2 * 86_400

/** A workflow is its user's: two who choose the same id do not meet. UUIDs are the same in capitals. */
export function workflowName(userId: string, workflowId: string): string {
  // A job put into the queue by hand may hold anything.
  return `${String(workflowId).toLowerCase()}:${userId}`
}

/** One line of the order: `<position> <job id> <event id>`. */
export interface Place {
  position: string
  jobId: string
  eventId: EventId
}

export function parsePlace(line: string): Place {
  const [position = '', jobId = '', id = ''] = line.split(' ')
  return { position, jobId, eventId: id }
}

/** A member of the list of jobs: what can be filtered by without a look at the job. */
export interface JobMember {
  jobId: string
  stage: string
  workflowId: string
}

export function jobMember({ job_id, stage, workflow_id }: Omit<JobOrigin, 'user_id'>): string {
  return `${job_id}:${stage}:${String(workflow_id).toLowerCase()}`
}

export function parseMember(member: string): JobMember {
  const [jobId = '', stage = '', workflowId = ''] = member.split(':')
  return { jobId, stage, workflowId }
}

/**
 * Lua: `place(job, order, jobs)` gives the events of ARGV[5] their places, but for those that have one (`placed` in the
 * job's hash is the newest that has), and `queued` first if it has none. Answers `<newest position before> <position>…`.
 *
 * ARGV job id, member of the list, name of the workflow, TTL in s, ids of events with spaces between
 */
export const PLACE_EVENTS = `
local function place(job, order, jobs)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]
  local newest = redis.call('LINDEX', order, -1)
  local places = { newest and string.sub(newest, 1, 16) or '' }
  local at = newest and math.max(now, places[1] + 1) or now
  local placed = redis.call('HGET', job, 'placed')
  local ids = ARGV[5]
  local isNew = not placed
  if isNew then
    placed = ''
    if string.sub(ids, 1, 12) ~= '${FIRST_ID}' then ids = '${FIRST_ID} ' .. ids end
  end
  local lines = {}
  for id in string.gmatch(ids, '%S+') do
    if id > placed then
      places[#places + 1] = string.format('%016.0f', at)
      lines[#lines + 1] = places[#places] .. ' ' .. ARGV[1] .. ' ' .. id
      at = at + 1
      placed = id
    end
  end
  if #lines > 0 and redis.call('RPUSH', order, unpack(lines)) > ${ORDER_CAPACITY} then
    redis.call('LTRIM', order, -${ORDER_CAPACITY}, -1)
  end
  redis.call('EXPIRE', order, ARGV[4])
  redis.call('HSET', job, 'placed', placed)
  if redis.call('EXPIRE', jobs, ARGV[4]) == 0 or isNew then
    local last = redis.call('ZREVRANGE', jobs, 0, 0, 'WITHSCORES')
    redis.call('ZADD', jobs, 'NX', string.format('%.0f', math.max(now, (last[2] or 0) + 1)), ARGV[2])
    redis.call('ZREMRANGEBYRANK', jobs, 0, -${JOBS_CAPACITY + 1})
    redis.call('EXPIRE', jobs, ARGV[4])
  end
  return table.concat(places, ' ')
end`

/**
 * Lua: `placeQueued(job, order, jobs, id, member, ttl)` does the same for the `queued` of a job that was just added,
 * with as few commands as that needs. Answers nil when it had its place.
 */
export const PLACE_QUEUED = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function placeQueued(job, order, jobs, id, member, ttl)
  if redis.call('HSETNX', job, 'placed', '${FIRST_ID}') == 0 then return nil end
  local newest = redis.call('LINDEX', order, -1)
  local before = newest and string.sub(newest, 1, 16) or ''
  local position = string.format('%016.0f', newest and math.max(now, before + 1) or now)
  if redis.call('RPUSH', order, position .. ' ' .. id .. ' ${FIRST_ID}') > ${ORDER_CAPACITY} then
    redis.call('LTRIM', order, -${ORDER_CAPACITY}, -1)
  end
  redis.call('EXPIRE', order, ttl)
  local last = redis.call('ZREVRANGE', jobs, 0, 0, 'WITHSCORES')
  redis.call('ZADD', jobs, 'NX', string.format('%.0f', math.max(now, (last[2] or 0) + 1)), member)
  redis.call('ZREMRANGEBYRANK', jobs, 0, -${JOBS_CAPACITY + 1})
  redis.call('EXPIRE', jobs, ttl)
  return before .. ' ' .. position
end`

/** The first five arguments of every script that places events. */
export function orderArguments(
  job: JobOrigin,
  ids: readonly EventId[],
  resultTtlSeconds: number,
): (string | number)[] {
  return [
    ...[job.job_id, jobMember(job), workflowName(job.user_id, job.workflow_id)],
    ...[resultTtlSeconds + IDLE_SECONDS, ids.join(' ')],
  ]
}
