-- Removes a finished job from the journal, notifies the watchers of its workflow, and marks the job's Idempotency-Key as
-- deleted.
-- const STREAM_LENGTH: approximate length of the event stream
-- key job: BullMQ's hash of the job
-- key outcome: the final state of the job
-- key log: list of log lines
-- key summary: summary of a finished job for lists
-- key events: event stream of the queue
-- key jobs: list of the user's jobs
-- key everybody: list of all users' jobs
-- key queued: the user's jobs that have not started yet
-- key asked: the request behind the job's Idempotency-Key, see reserve.lua
-- arg id: job id
-- arg member: the job's member in the user's list
-- arg workflow: name of the workflow
--
-- Returns 'forgotten', or 'queued' if BullMQ has the job (again): then nothing was removed.
if redis.call('EXISTS', job) == 1 then return 'queued' end
redis.call('DEL', outcome, log, summary)
redis.call('ZREM', jobs, member)
redis.call('ZREM', everybody, member)
redis.call('ZREM', queued, id)
if redis.call('EXISTS', asked) == 1 then redis.call('SETRANGE', asked, 0, 'd') end
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'deleted', 'jobId', id, 'workflow', workflow)
return 'forgotten'
