-- Appends entries to the log of a job, moves its cursor and announces the entries, all or nothing. An outcome also ends the
-- job: the first outcome stored is final.
-- include place-events
-- const LOG_CAPACITY: maximum entries in a log
-- const SAMPLES: how many durations are kept
-- const STREAM_LENGTH: approximate length of the event stream
-- key job: BullMQ's hash of the job
-- key lock: BullMQ's lock of the job
-- key outcome: the final state of the job
-- key log: list of log entries
-- key events: event stream of the queue
-- key order: order of the workflow
-- key jobs: list of the user's jobs
-- key summary: summary of a finished job for lists
-- key tally: counts of all jobs
-- key turns: hash of turns, see reserve.lua
-- key queued: the user's jobs that have not started
-- key took: how long completed jobs of the stage took, newest first
-- key asked: the request behind the job's Idempotency-Key, see reserve.lua
-- arg id: job id
-- arg member: the job's member in the user's list
-- arg workflow: name of the workflow
-- arg placesTtl: time to live of order and list, in s
-- arg eventIds: ids of the entries, separated by single spaces
-- arg token: lock token; '' = the job is not locked
-- arg expected: the cursor that must be stored
-- arg cursor: the new cursor
-- arg logTtl: time to live of the log, in s
-- arg cancelled: '1' if the entries may follow a cancel request
-- arg newOutcome: JSON, '' = none
-- arg newSummary: JSON, '' = none
-- arg outcomeTtl: time to live of outcome and summary, in s
-- arg askedTtl: how long the job's Idempotency-Key is remembered after its end, in s
-- arg progress: percent
-- arg tookMs: how long the job took, '' unless it completed
-- arg leastEnded: minimum value of counts by minute, whose fields contain ':ended:'
-- arg counts: number of counts that follow
-- rest: field and increment of each count, then the entries as JSON
--
-- Returns 'ok', 'lost' (the lock), 'settled' (the job has ended), 'gone', 'cancelling', or 'moved:<stored cursor>'.
--
-- `settled` in the hash means that an outcome was stored. Before the first entry, the outcome and the job's key are checked
-- too: they may belong to an earlier job with the same id that the queue has dropped.
--
-- The first write needs no memory. When Redis is out of memory, it checks only the first write of a script. So a script
-- that has started can finish, and accepted jobs can still end.
if token ~= '' and redis.call('GET', lock) ~= token then return 'lost' end
local stored = redis.call('HMGET', job, 'timestamp', 'cursor', 'cancel', 'placed', 'settled')
local has_begun = stored[1] and stored[2]
if stored[5] or (not has_begun and redis.call('EXISTS', outcome) == 1) then return 'settled' end
local known = (not has_begun or newOutcome ~= '') and redis.call('GET', asked)
if not has_begun and known and string.find(known, '^[ed]') then return 'settled' end
if not stored[1] then return 'gone' end
if (stored[2] or '') ~= expected then return 'moved:' .. (stored[2] or '') end
if stored[3] and cancelled == '' then return 'cancelling' end

local is_kept = redis.call('EXPIRE', log, logTtl) == 1
local positions, placed =
  place_events(stored[4], order, jobs, id, member, placesTtl, eventIds, not stored[2])
if not has_begun then
  local turn = tonumber(redis.call('ZSCORE', queued, id))
  if turn then
    redis.call('ZREM', queued, id)
    local last = tonumber(redis.call('HGET', turns, 'last')) or 0
    if token ~= '' and turn > last then redis.call('HSET', turns, 'last', string.format('%.0f', turn)) end
  end
end
local first = 2 * counts + 1
if redis.call('RPUSH', log, unpack(rest, first)) > LOG_CAPACITY then
  redis.call('LTRIM', log, -LOG_CAPACITY, -1)
end
if not is_kept then redis.call('EXPIRE', log, logTtl) end
local fields = { 'progress', progress, 'last', rest[#rest], 'cursor', cursor, 'placed', placed }
if newOutcome ~= '' then
  redis.call('SET', outcome, newOutcome, 'EX', outcomeTtl)
  redis.call('SET', summary, newSummary, 'EX', outcomeTtl)
  fields[9], fields[10] = 'settled', 1
  if known then redis.call('SET', asked, 'e' .. string.sub(known, 2), 'EX', askedTtl) end
end
redis.call('HSET', job, unpack(fields))
if tookMs ~= '' then
  redis.call('LPUSH', took, tookMs)
  redis.call('LTRIM', took, 0, SAMPLES - 1)
end
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'progress', 'jobId', id,
  'data', '{"prev":"' .. expected .. '","entries":[' .. table.concat(rest, ',', first) .. ']}',
  'workflow', workflow, 'places', positions)
-- Ends are counted by minute, in one field for each minute that is kept. When a field is reused for a later minute, it is
-- reset first.
for at = 1, first - 1, 2 do
  local reached = redis.call('HINCRBY', tally, rest[at], rest[at + 1])
  if reached < tonumber(leastEnded) and string.find(rest[at], ':ended:', 1, true) then
    redis.call('HSET', tally, rest[at], leastEnded)
  end
end
return 'ok'
