-- Places an event that comes without a write to the log: `queued`, or an end that no worker recorded.
-- include place-events
-- const STREAM_LENGTH: approximate length of the event stream
-- key job: BullMQ's hash of the job
-- key outcome: the final state of the job
-- key order: order of the workflow
-- key jobs: list of the user's jobs
-- key events: event stream of the queue
-- key adding: jobs that are being added, see reserve.lua
-- key asked: the request behind the job's key, see reserve.lua
-- arg id: job id
-- arg member: the job's member in the user's list
-- arg workflow: name of the workflow
-- arg placesTtl: time to live of order and list, in s
-- arg eventId: id of the event
-- arg user: digest of the user
--
-- Returns 'placed', 'known' (it already had a position) or 'gone' (there is no such job).
redis.call('ZREM', adding, id .. ' ' .. user)
if redis.call('GETRANGE', asked, 0, 0) == 'q' then redis.call('SETRANGE', asked, 0, 'a') end
local stored = redis.call('HMGET', job, 'timestamp', 'placed')
if not stored[1] then return 'gone' end
if (stored[2] or '') >= eventId then return 'known' end
-- It was added again after its end, by a process that had stood still: all its events were told.
if not stored[2] and redis.call('EXISTS', outcome) == 1 then return 'known' end
local positions, placed = place_events(stored[2], order, jobs, id, member, placesTtl, eventId)
redis.call('HSET', job, 'placed', placed)
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'placed', 'jobId', id,
  'workflow', workflow, 'places', positions)
return 'placed'
