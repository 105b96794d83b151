-- Prepares jobs before they are added to BullMQ: stores their Idempotency-Keys and gives each the next turn of its user.
-- const FRONTS: how many jobs of a stage's fronts are read
-- key turns: hash: `last` (the highest turn that has started), `base` (turns are counted from it as BullMQ's priorities)
-- key adding: sorted set of jobs that are being added, by start time
-- key wait: BullMQ's list of jobs that go first
-- key prioritized: BullMQ's sorted set of waiting jobs
-- key delayed: BullMQ's sorted set of delayed jobs
-- key active: BullMQ's list of running jobs
-- arg most: maximum queued jobs of a user; 0 = no limit
-- arg ttl: how long a job may wait, in s
-- arg prefix: prefix of the keys of jobs and users; their names are in journal.ts
-- rest: the arguments of `reserve_one` for each job
--
-- Returns for each job: 'reserved', the turn minus the base, and 1 if the key was known; 'known' (nothing needs to be
-- added); 'mismatch'; 'deleted'; 'full'; 'claimed' and the claim; or 'refused' and Redis's error. If Redis refuses all
-- jobs, the call fails with Redis's error.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored_turns = redis.call('HMGET', turns, 'last', 'base')
local last, base = tonumber(stored_turns[1]) or 0, tonumber(stored_turns[2]) or 0
-- While no job waits or runs, priorities can restart at the base.
local begins_again = base ~= last
  and redis.call('LLEN', wait) + redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed)
    + redis.call('LLEN', active) + redis.call('ZCARD', adding) == 0

-- Removes jobs that no longer wait: an operator may have removed a job, or a worker of another release may have started it.
local function drop_stale(queued, user, count)
  for _, one in ipairs(redis.call('ZRANGE', queued, 0, count - 1)) do
    local stored = redis.call('HMGET', prefix .. one, 'timestamp', 'cursor')
    local is_waiting = stored[1] and not stored[2]
    if not is_waiting and not redis.call('ZSCORE', adding, one .. ' ' .. user) then
      redis.call('ZREM', queued, one)
    end
  end
end

-- The turn of the first job that a stage's limit holds back, or false. Each worker adds its first one to the stage's fronts.
-- A worker that crashes leaves its entry there.
local fronts = {}
local function front_of(stage)
  if fronts[stage] == nil then
    fronts[stage] = false
    local jobs = redis.call('ZRANGE', prefix .. 'fronts:' .. stage, 0, FRONTS - 1, 'WITHSCORES')
    for i = #jobs - 1, 1, -2 do
      local stored = redis.call('HMGET', prefix .. jobs[i], 'timestamp', 'cursor')
      local waits = stored[1] and (not stored[2] or redis.call('ZSCORE', delayed, jobs[i]))
      if waits then fronts[stage] = base + jobs[i + 1] end
    end
  end
  return fronts[stage]
end

-- id: job id
-- stage: its stage
-- user: digest of the user
-- fingerprint: fingerprint of the request; '' = it has no key
-- claimed: digest of the key
local function reserve_one(id, stage, user, fingerprint, claimed)
  -- The user's jobs that have not started, by turn.
  local queued = prefix .. 'queued:' .. user
  -- The request behind the job's key: a letter (q: asked, a: added, e: ended, d: deleted), then the fingerprint.
  local asked = prefix .. 'asked:' .. id
  local known = fingerprint ~= '' and redis.call('GET', asked)
  if fingerprint ~= '' then
    local state = known and string.sub(known, 1, 1)
    if known and string.sub(known, 2) ~= fingerprint then return { 'mismatch' } end
    if state == 'd' then return { 'deleted' } end
    if state == 'a' or state == 'e' or redis.call('EXISTS', prefix .. id .. ':end') == 1 then return { 'known' } end
    if redis.call('EXISTS', prefix .. id) == 1 then
      -- Redis was emptied after the turn was reserved and before the job was added. Treat this request as the first.
      if not known then redis.pcall('SET', asked, 'a' .. fingerprint, 'EX', ttl) end
      return { 'known' }
    end
    -- The key as the previous release stored it.
    local earlier = not known and redis.call('GET', prefix .. 'idem:' .. claimed)
    if earlier then return { 'claimed', earlier } end
  end

  local turn = tonumber(redis.call('ZSCORE', queued, id))
  if not turn then
    drop_stale(queued, user, 2)
    local limit = tonumber(most)
    if limit > 0 and redis.call('ZCARD', queued) >= limit then
      drop_stale(queued, user, 100)
      if redis.call('ZCARD', queued) >= limit then return { 'full' } end
    end
  end

  -- If Redis refuses to write, it refuses this first write.
  local added = redis.pcall('ZADD', adding, now, id .. ' ' .. user)
  if type(added) == 'table' then return { 'refused', added.err }, added end
  if fingerprint ~= '' then redis.call('SET', asked, 'q' .. fingerprint, 'EX', ttl) end
  if begins_again then
    begins_again, base = false, last
    redis.call('HSET', turns, 'base', string.format('%.0f', base))
  end
  if not turn then
    local newest = redis.call('ZREVRANGE', queued, 0, 0, 'WITHSCORES')
    -- Where several workers are at the limit of a stage, one may have started jobs long before their turns.
    local front = front_of(stage)
    local started = front and math.min(last, front - 1) or last
    turn = math.max(started, tonumber(newest[2]) or 0) + 1
    redis.call('ZADD', queued, string.format('%.0f', turn), id)
    redis.call('EXPIRE', queued, ttl)
  end
  return { 'reserved', math.max(1, turn - base), known and 1 or 0 }
end

local replies, refused, refusal = {}, 0, nil
for at = 1, #rest, 5 do
  local reply, err = reserve_one(unpack(rest, at, at + 4))
  replies[#replies + 1] = reply
  if err then refused, refusal = refused + 1, err end
end
if refused == #replies then return refusal end
return replies
