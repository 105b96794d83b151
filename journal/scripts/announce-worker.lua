-- Stores the state of a live worker and removes workers that have been silent for too long, by Redis's clock. The hash
-- expires when no worker reports.
-- const DEAD_AFTER_MS: silence after which a worker counts as dead
-- key workers: hash of the live workers
-- arg id: worker id
-- arg state: JSON
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HGETALL', workers)
for i = 1, #known, 2 do
  local seen = string.match(known[i + 1], '^(%d+) ')
  if not seen or now - seen > DEAD_AFTER_MS then redis.call('HDEL', workers, known[i]) end
end
redis.call('HSET', workers, id, string.format('%d', now) .. ' ' .. state)
redis.call('PEXPIRE', workers, DEAD_AFTER_MS)
