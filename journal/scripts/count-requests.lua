-- Counts requests of one caller in the current window, which begins with the first of them.
-- key counter: of the caller
-- arg requests: how many
-- arg window: in ms
--
-- Returns the count and what is left of the window, in ms.
local count = redis.call('INCRBY', counter, requests)
if count == tonumber(requests) then redis.call('PEXPIRE', counter, window) end
return { count, redis.call('PTTL', counter) }
