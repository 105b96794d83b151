-- Appends lines to the log of a job, moves its cursor and announces the lines, all or nothing. With an outcome it also
-- settles the job: the first outcome stored is the job's for good.
-- include place-events
-- const LOG_CAPACITY: lines that a log keeps
-- const STREAM_LENGTH: approximate length of the event stream
-- key job: BullMQ's hash of the job
-- key lock: BullMQ's lock of the job
-- key outcome: the final state of the job
-- key log: list of log lines
-- key events: event stream of the queue
-- key order: order of the workflow
-- key jobs: list of the user's jobs
-- key summary: what lists show of a finished job
-- key tally: counts of all jobs
-- key turns: hash of turns, see reserve.lua
-- key queued: the user's jobs that have not started yet
-- key asked: what the key of the job stands for, see reserve.lua
-- arg id: of the job
-- arg member: of the job in the user's list
-- arg workflow: name of the workflow
-- arg placesTtl: time to live of order and list, in s
-- arg eventIds: of the lines, with one space between them
-- arg token: of the lock; '' = the caller found the job free
-- arg expected: the cursor that must be stored
-- arg cursor: the new one
-- arg logTtl: time to live of the log, in s
-- arg cancelled: '1' when the lines may follow a cancel request
-- arg newOutcome: JSON, '' = none
-- arg newSummary: JSON, '' = none
-- arg outcomeTtl: time to live of outcome and summary, in s
-- arg askedTtl: how long the key of a job is remembered after its end, in s
-- arg progress: in per cent
-- arg leastEnded: the least that the first count must reach
-- arg counts: how many counts follow
-- rest: for each count its field and by how much it rises, then the lines as JSON
--
-- Returns 'ok', 'lost' (the lock), 'settled', 'gone', 'cancelling', or 'moved:<the cursor that is stored>'.
--
-- `settled` in the hash says that there was an outcome. Before the first line the outcome itself is looked for, and what
-- its key stands for: it may be that of an earlier job of the same id, which the queue has dropped.
--
-- The first command that writes takes no memory: Redis, when it is out of memory, looks only at that one. So a script
-- that has begun can finish, and what was accepted can still be settled.
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
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'progress', 'jobId', id,
  'data', '{"prev":"' .. expected .. '","entries":[' .. table.concat(rest, ',', first) .. ']}',
  'workflow', workflow, 'places', positions)
-- Ends are counted by minute, in as many fields as minutes are kept: a field begins again when its minute comes round.
for at = 1, first - 1, 2 do
  local reached = redis.call('HINCRBY', tally, rest[at], rest[at + 1])
  if at == 1 and reached < tonumber(leastEnded) then redis.call('HSET', tally, rest[at], leastEnded) end
end
return 'ok'
