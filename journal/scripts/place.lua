-- Adds events that are not in a log to the order of their workflow: `queued`, or an end that no worker recorded. A queued
-- job is also added to the list of all users' jobs.
-- include place-events
-- const ALL_CAPACITY: jobs that the list of all users' jobs keeps
-- const FIRST_ID: the id of the event `queued`
-- const STREAM_LENGTH: approximate length of the event stream
-- key events: event stream of the queue
-- key adding: jobs that are being added, see reserve.lua
-- key everybody: list of all users' jobs
-- arg placesTtl: time to live of orders and of users' lists, in s
-- arg everybodyTtl: time to live of the list of all users' jobs after the last job was added, in s
-- arg prefix: prefix of the keys of jobs and users; their names are in journal.ts
-- rest: the arguments of `place_one` for each event
--
-- Returns for each event 'placed', 'known' (it already had a position) or 'gone' (the job does not exist).

-- Scores are distinct, so that a page can start after one.
local listed_at
local function list_for_all(member)
  if listed_at then
    listed_at = listed_at + 1
  else
    local time = redis.call('TIME')
    local newest = redis.call('ZREVRANGE', everybody, 0, 0, 'WITHSCORES')
    listed_at = math.max(time[1] * 1000000 + time[2], (tonumber(newest[2]) or 0) + 1)
  end
  redis.call('ZADD', everybody, 'NX', string.format('%.0f', listed_at), member)
end

-- id: job id
-- stage: its stage
-- workflow: id of its workflow
-- user: digest of its user
-- event: id of the event
local function place_one(id, stage, workflow, user, event)
  local job, asked = prefix .. id, prefix .. 'asked:' .. id
  local member = id .. ':' .. stage .. ':' .. workflow
  local name = workflow .. ':' .. user
  redis.call('ZREM', adding, id .. ' ' .. user)
  if event == FIRST_ID then list_for_all(member) end
  if redis.call('GETRANGE', asked, 0, 0) == 'q' then redis.call('SETRANGE', asked, 0, 'a') end
  local stored = redis.call('HMGET', job, 'timestamp', 'placed')
  if not stored[1] then return 'gone' end
  if (stored[2] or '') >= event then return 'known' end
  -- A process that was frozen added the job again after its end. All its events have been announced.
  if not stored[2] and redis.call('EXISTS', job .. ':end') == 1 then return 'known' end
  local positions, placed = place_events(stored[2], prefix .. 'order:' .. name,
    prefix .. 'jobs:' .. user, id, member, placesTtl, event)
  redis.call('HSET', job, 'placed', placed)
  redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'placed', 'jobId', id,
    'workflow', name, 'places', positions)
  return 'placed'
end

local replies = {}
for at = 1, #rest, 5 do
  replies[#replies + 1] = place_one(unpack(rest, at, at + 4))
end
if listed_at then
  redis.call('ZREMRANGEBYRANK', everybody, 0, -ALL_CAPACITY - 1)
  redis.call('EXPIRE', everybody, everybodyTtl)
end
return replies
