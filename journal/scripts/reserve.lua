-- Prepares a job before it is added to BullMQ: stores the request behind its Idempotency-Key and takes its user's next turn.
-- Called again for a job that was not added, it returns the same turn.
-- key turns: hash: `last`, the highest turn that has started; `base`, the turn with priority 0
-- key queued: sorted set of the user's jobs that have not started, by turn
-- key adding: sorted set of jobs that are being added, by start time
-- key asked: the request behind the job's key: a letter (q: asked, a: added, e: ended, d: deleted), then the fingerprint
-- key claim: the key as the previous release stored it
-- key job: BullMQ's hash of the job
-- key outcome: the final state of the job
-- key wait: BullMQ's list of jobs that go first
-- key prioritized: BullMQ's sorted set of waiting jobs
-- key delayed: BullMQ's sorted set of delayed jobs
-- key active: BullMQ's list of running jobs
-- arg id: job id
-- arg user: digest of the user
-- arg fingerprint: fingerprint of the request; '' = it has no key
-- arg most: maximum queued jobs of the user; 0 = no limit
-- arg ttl: how long the job may wait, in s
-- arg jobPrefix: prefix of BullMQ's hashes
--
-- Returns 'reserved', the turn minus the base, and 1 if the key was known; 'known' (nothing needs to be added), 'mismatch',
-- 'deleted', 'full', or 'claimed' and the claim.
local known = fingerprint ~= '' and redis.call('GET', asked)
if fingerprint ~= '' then
  local state = known and string.sub(known, 1, 1)
  if known and string.sub(known, 2) ~= fingerprint then return { 'mismatch' } end
  if state == 'd' then return { 'deleted' } end
  if state == 'a' or state == 'e' or redis.call('EXISTS', job, outcome) > 0 then return { 'known' } end
  local earlier = not known and redis.call('GET', claim)
  if earlier then return { 'claimed', earlier } end
end

-- An operator may have removed a job, or a worker of another release may have started it.
local function drop_stale(count)
  for _, one in ipairs(redis.call('ZRANGE', queued, 0, count - 1)) do
    local stored = redis.call('HMGET', jobPrefix .. one, 'timestamp', 'cursor')
    local is_waiting = stored[1] and not stored[2]
    if not is_waiting and not redis.call('ZSCORE', adding, one .. ' ' .. user) then
      redis.call('ZREM', queued, one)
    end
  end
end
local turn = tonumber(redis.call('ZSCORE', queued, id))
if not turn then
  drop_stale(2)
  local limit = tonumber(most)
  if limit > 0 and redis.call('ZCARD', queued) >= limit then
    drop_stale(100)
    if redis.call('ZCARD', queued) >= limit then return { 'full' } end
  end
end

local stored = redis.call('HMGET', turns, 'last', 'base')
local last, base = tonumber(stored[1]) or 0, tonumber(stored[2]) or 0
if fingerprint ~= '' then redis.call('SET', asked, 'q' .. fingerprint, 'EX', ttl) end
local is_idle = redis.call('LLEN', wait) + redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed)
  + redis.call('LLEN', active) + redis.call('ZCARD', adding) == 0
if is_idle and base ~= last then
  base = last
  redis.call('HSET', turns, 'base', string.format('%.0f', base))
end
if not turn then
  local newest = redis.call('ZREVRANGE', queued, 0, 0, 'WITHSCORES')
  turn = math.max(last, tonumber(newest[2]) or 0) + 1
  redis.call('ZADD', queued, string.format('%.0f', turn), id)
  redis.call('EXPIRE', queued, ttl)
end
local time = redis.call('TIME')
redis.call('ZADD', adding, time[1] * 1000 + math.floor(time[2] / 1000), id .. ' ' .. user)
return { 'reserved', math.max(1, turn - base), known and 1 or 0 }
