-- Flags a job with a running attempt for cancelling and publishes its id to the workers.
-- include place-events
-- const STREAM_LENGTH: approximate length of the event stream
-- key job: BullMQ's hash of the job
-- key lock: BullMQ's lock of the job
-- key outcome: the final state of the job
-- key events: event stream of the queue
-- key order: order of the workflow
-- key jobs: list of the user's jobs
-- arg id: job id
-- arg member: the job's member in the user's list
-- arg workflow: name of the workflow
-- arg placesTtl: time to live of order and list, in s
-- arg now: epoch ms
-- arg channel: channel of the workers
--
-- Returns 'cancelling', 'free' (no attempt is running: the caller ends the job), 'settled' (it has ended) or 'gone'.
-- Between two attempts a worker may hold the lock, but it writes nothing: the job counts as free.
if redis.call('EXISTS', outcome) == 1 then return 'settled' end
local stored = redis.call('HMGET', job, 'timestamp', 'cursor', 'finishedOn', 'last', 'placed')
if not stored[1] then return 'gone' end
if stored[3] then return 'settled' end
local is_resting = not stored[4] or cjson.decode(stored[4]).type == 'retrying'
if is_resting or redis.call('EXISTS', lock) == 0 then return 'free' end
local mark = '{"after":"' .. (stored[2] or '') .. '","at":' .. now .. '}'
if redis.call('HSETNX', job, 'cancel', mark) == 1 then
  local asked = string.sub(stored[2], 1, -2) .. '1'
  local positions, placed = place_events(stored[5], order, jobs, id, member, placesTtl, asked)
  redis.call('HSET', job, 'placed', placed)
  redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'cancelling', 'jobId', id,
    'workflow', workflow, 'places', positions)
end
redis.pcall('PUBLISH', channel, id)
return 'cancelling'
