-- Adds jobs to the list of all users' jobs, in the order in which they were accepted.
-- const ALL_CAPACITY: jobs that the list keeps
-- key everybody: the list
-- arg ttl: time to live of the list after its last news, in s
-- rest: the jobs, as members of the list
--
-- Scores are distinct, so that a page can begin behind one.
local clock = redis.call('TIME')
local newest = redis.call('ZREVRANGE', everybody, 0, 0, 'WITHSCORES')
local at = math.max(clock[1] * 1000000 + clock[2], (tonumber(newest[2]) or 0) + 1)
for i, member in ipairs(rest) do
  redis.call('ZADD', everybody, 'NX', string.format('%.0f', at + i - 1), member)
end
redis.call('ZREMRANGEBYRANK', everybody, 0, -ALL_CAPACITY - 1)
redis.call('EXPIRE', everybody, ttl)
return 1
