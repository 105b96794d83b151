-- Removes the order of a workflow whose jobs are all deleted, and tells who watches it.
-- const STREAM_LENGTH: approximate length of the event stream
-- key order: order of the workflow
-- key events: event stream of the queue
-- arg workflow: name of the workflow
-- arg newest: the last line, as it was read
--
-- Returns 1, or 0 when another job has begun meanwhile.
if (redis.call('LINDEX', order, -1) or '') ~= newest then return 0 end
redis.call('DEL', order)
redis.call('XADD', events, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', 'deleted', 'jobId', '', 'workflow', workflow)
return 1
