-- Changes a run: its document, its log, and its events in the order of the workflow, all or nothing. If a new run
-- supersedes a waiting one, both change in the same call.
-- const ORDER_CAPACITY: positions that the order keeps
-- const STREAM_LENGTH: approximate length of the event stream
-- const RUNS_CAPACITY: runs that a list keeps
-- const ALL_CAPACITY: runs that the list of all users keeps
-- key memory: hash of a workflow: `version`, `run` (its newest run), and `result:<job id>`, the stored results
-- key carrier: BullMQ's hash of the job that continues the run if this process dies
-- key order: order of the workflow
-- key events: event stream of the queue
-- key inWorkflow: runs of the workflow, by time
-- key ofUser: runs of the user, by time
-- key ofAll: runs of all users, by time
-- key live: runs of the user that have not finished
-- key waiting: steps of all users that wait for a decision, by time
-- key waitingOf: steps of this user that wait for a decision, by time
-- key tally: hash: runs by status
-- arg version: version of the workflow that the caller read
-- arg workflow: name of the workflow
-- arg runPrefix: prefix of the runs' hashes
-- arg jobPrefix: prefix of the jobs' keys
-- arg heldPrefix: prefix of the sets of runs that use a job
-- arg ttl: how long a finished run is kept, in s
-- arg idle: how much longer its workflow's order is kept, in s
-- arg change: JSON: `runs`: [{ id, was, status, isFinished, isCancelled, document, events, uses, waits, stops }], `results`
--   (by job id), `isNew`. Documents, events and results are texts. `uses`: jobs that the run uses, all of them if it has
--   finished. `waits` and `stops`: members to add to and remove from the lists of waiting sign-offs, each after its time
--
-- Returns 'ok', 'moved' (the version has changed), 'uncarried' (no job continues the run), or 'gone' and the job whose
-- result has expired.
if (redis.call('HGET', memory, 'version') or '0') ~= version then return { 'moved' } end
if redis.call('EXISTS', carrier) == 0 then return { 'uncarried' } end
local wanted = cjson.decode(change)
for _, run in ipairs(wanted.runs) do
  for _, job in ipairs(run.isFinished and {} or run.uses) do
    if redis.call('EXISTS', jobPrefix .. job .. ':end') == 0 then
      redis.call('HDEL', memory, 'result:' .. job)
      return { 'gone', job }
    end
  end
end

-- The first write needs no memory, so a full Redis refuses none of the writes.
redis.call('PERSIST', memory)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('HINCRBY', memory, 'version', 1)
for job, result in pairs(wanted.results) do redis.call('HSET', memory, 'result:' .. job, result) end

local function keep(key, is_over, seconds)
  if is_over then redis.call('EXPIRE', key, seconds) else redis.call('PERSIST', key) end
end

local function keep_jobs(run)
  for _, job in ipairs(run.uses) do
    redis.call('SADD', heldPrefix .. job, run.id)
    keep(heldPrefix .. job, run.isFinished, ttl)
    for _, part in ipairs({ ':end', ':summary', ':log' }) do keep(jobPrefix .. job .. part, run.isFinished, ttl) end
  end
end

local function tell(run, key)
  local newest = redis.call('LINDEX', order, -1)
  local before = newest and string.sub(newest, 1, 16) or ''
  local at = newest and math.max(now, before + 1) or now
  local number = redis.call('LLEN', key .. ':log')
  local positions, lines = { before }, {}
  for i in ipairs(run.events) do
    local position = string.format('%016.0f', at + i - 1)
    positions[#positions + 1] = position
    lines[#lines + 1] = position .. ' ' .. run.id .. ' ' .. string.format('r%011d', number + i)
  end
  if run.was == '' then redis.call('HSET', key, 'origin', before) end
  if #lines == 0 then return end
  redis.call('RPUSH', key .. ':log', unpack(run.events))
  if redis.call('RPUSH', order, unpack(lines)) > tonumber(ORDER_CAPACITY) then
    redis.call('LTRIM', order, -ORDER_CAPACITY, -1)
  end
  redis.call('HSET', key, 'cursor', positions[#positions])
  redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'run', 'jobId', run.id,
    'workflow', workflow, 'places', table.concat(positions, ' '))
end

for _, run in ipairs(wanted.runs) do
  local key = runPrefix .. run.id
  redis.call('HSET', key, 'document', run.document)
  if run.isCancelled then redis.call('HSET', key, 'cancelled', 1) end
  tell(run, key)
  keep_jobs(run)
  for _, wait in ipairs(run.waits) do
    local score, member = string.match(wait, '^(%d+) (.*)$')
    redis.call('ZADD', waiting, score, member)
    redis.call('ZADD', waitingOf, score, member)
  end
  for _, wait in ipairs(run.stops) do
    local member = string.match(wait, '^%d+ (.*)$')
    redis.call('ZREM', waiting, member)
    redis.call('ZREM', waitingOf, member)
  end
  if run.was ~= run.status then
    if run.was ~= '' then redis.call('HINCRBY', tally, run.was, -1) end
    redis.call('HINCRBY', tally, run.status, 1)
  end
  if run.was == '' then
    redis.call('HSET', memory, 'run', run.id)
    for list, most in pairs({ [inWorkflow] = RUNS_CAPACITY, [ofUser] = RUNS_CAPACITY, [ofAll] = ALL_CAPACITY }) do
      local last = redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES')
      redis.call('ZADD', list, string.format('%.0f', math.max(now, (last[2] or 0) + 1)), run.id)
      redis.call('ZREMRANGEBYRANK', list, 0, -most - 1)
    end
    redis.call('SADD', live, run.id)
  end
  if run.isFinished then
    redis.call('EXPIRE', key, ttl)
    redis.call('EXPIRE', key .. ':log', ttl)
    redis.call('SREM', live, run.id)
  end
end

-- While a run is unfinished, nothing of its workflow expires, and neither does the user's list of runs.
local is_over = wanted.runs[#wanted.runs].isFinished
keep(memory, is_over, ttl)
keep(inWorkflow, is_over, ttl)
keep(order, is_over, ttl + idle)
keep(ofUser, redis.call('SCARD', live) == 0, ttl)
local under_way = 0
for _, count in ipairs(redis.call('HMGET', tally, 'running', 'waiting', 'cancelling')) do
  under_way = under_way + (tonumber(count) or 0)
end
keep(ofAll, under_way == 0, ttl)
return { 'ok' }
