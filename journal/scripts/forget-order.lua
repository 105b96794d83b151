-- Removes the order of a workflow whose jobs are all deleted, and notifies its watchers.
-- const STREAM_LENGTH: approximate length of the event stream
-- key order: order of the workflow
-- key events: event stream of the queue
-- arg workflow: name of the workflow
-- arg newest: the last line that the caller read
--
-- Returns 1, or 0 if another job was added meanwhile.
if (redis.call('LINDEX', order, -1) or '') ~= newest then return 0 end
redis.call('DEL', order)
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'deleted', 'jobId', '', 'workflow', workflow)
return 1
