-- Counts a caller's requests in the current window, which starts with the first one.
-- key counter: the caller's counter
-- arg requests: number of requests to add
-- arg window: length of the window, in ms
--
-- Returns the count and the time left in the window, in ms.
local count = redis.call('INCRBY', counter, requests)
if count == tonumber(requests) then redis.call('PEXPIRE', counter, window) end
return { count, redis.call('PTTL', counter) }
