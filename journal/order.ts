/**
 * The order of the events of one workflow, over all its jobs. It holds no events, only their places: which job, which
 * event of it. The events themselves stand in the logs of the jobs, so that the two cannot disagree; the places are
 * written by the very script calls that write the logs.
 *
 * Beside it stands the list of a user's jobs, in the order in which they were accepted.
 */
import { type EventId, FIRST_ID, LOG_CAPACITY } from '../contract/events.ts'
import type { JobData } from '../contract/job.ts'

/** Where a job belongs. */
export type JobOrigin = Pick<JobData, 'job_id' | 'stage' | 'workflow_id' | 'user_id'>

/** Places of one workflow that are kept: those of twenty full logs. */
export const ORDER_CAPACITY = 20 * LOG_CAPACITY

/**
 * Jobs of one user that are listed; older ones can still be read one by one. A list is cut by the first job of a workflow,
 * and by every so many places of it, and is longer by a few jobs in between.
 */
export const JOBS_CAPACITY = 10_000
const TRIM_EVERY = 64

const HOUR_US = 3_600_000_000
/**
 * How long order and list outlive their last news, beyond the results, in seconds: two days. It is counted from the first
 * place of an hour, and one that was put off by others may fall into the next.
 */
export const IDLE_SECONDS = 2 * 86_400 + 2 * 3600

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
 * Lua: `place(placed, order, jobs, id, member, ttl, ids, begins)` gives the events `ids` of a job their places, but for those up to
 * `placed`, the newest that has one; when none has (false), the job is listed, and `queued` comes first. Answers
 * `<newest position before> <position>…`, and the newest event that has a place now. A job that `begins` looks whether
 * its list is still there.
 *
 * The time to live of order and list is renewed by the first place of each hour, which the positions tell; whatever can
 * fail comes before the one command that adds to the order, so that a job is placed entirely or not at all.
 */
export const PLACE_EVENTS = `
local clock
local function place(placed, order, jobs, id, member, ttl, ids, begins)
  clock = clock or redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]
  local newest = redis.call('LINDEX', order, -1)
  local before = newest and string.sub(newest, 1, 16) or ''
  local at = newest and math.max(now, before + 1) or now
  local isNew = not placed
  if isNew then
    placed = ''
    if string.sub(ids, 1, 12) ~= '${FIRST_ID}' then ids = '${FIRST_ID} ' .. ids end
  end
  local places, lines = { before }, {}
  for from = 1, #ids, 13 do
    local event = string.sub(ids, from, from + 11)
    if event > placed then
      local position = string.format('%016.0f', at)
      places[#places + 1] = position
      lines[#lines + 1] = position .. ' ' .. id .. ' ' .. event
      at = at + 1
      placed = event
    end
  end
  if #lines == 0 then return before, placed end
  local isDue = not newest or math.floor(before / ${HOUR_US}) ~= math.floor(now / ${HOUR_US})
  local isMissing = (isDue or begins) and redis.call('EXPIRE', jobs, ttl) == 0
  if isNew or isMissing then
    local last = redis.call('ZREVRANGE', jobs, 0, 0, 'WITHSCORES')
    redis.call('ZADD', jobs, 'NX', string.format('%.0f', math.max(now, (last[2] or 0) + 1)), member)
    if not last[1] then redis.call('EXPIRE', jobs, ttl) end
  end
  local length = redis.call('RPUSH', order, unpack(lines))
  if isDue then redis.call('EXPIRE', order, ttl) end
  if length > ${ORDER_CAPACITY} then redis.call('LTRIM', order, -${ORDER_CAPACITY}, -1) end
  if isNew and length % ${TRIM_EVERY} <= #lines then
    redis.call('ZREMRANGEBYRANK', jobs, 0, -${JOBS_CAPACITY + 1})
  end
  return table.concat(places, ' '), placed
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
