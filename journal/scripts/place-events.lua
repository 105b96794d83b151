-- Defines place_events, which adds events of one job to the order of its workflow.
-- const FIRST_ID: the id of the event `queued`
-- const HOUR_US: an hour in microseconds
-- const ORDER_CAPACITY: maximum positions in an order
-- const JOBS_CAPACITY: maximum jobs in a user's list
-- const TRIM_EVERY: number of positions after which the list is trimmed
--
-- placed: the newest event with a position; false if there is none, then the job is listed and `queued` is placed first
-- order, jobs: keys of the workflow's order and of the user's list
-- id, member: job id; its member in the list
-- ttl: time to live of both keys, in s, renewed by the first position of each hour
-- ids: the events, separated by single spaces; those up to `placed` are skipped
-- begins: whether to check that the list still exists
--
-- Returns '<previous newest position> <position>...' and the newest event with a position. Everything that can fail comes
-- before the one command that appends to the order, so events are placed completely or not at all.
local clock
local function place_events(placed, order, jobs, id, member, ttl, ids, begins)
  clock = clock or redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]
  local newest = redis.call('LINDEX', order, -1)
  local before = newest and string.sub(newest, 1, 16) or ''
  local at = newest and math.max(now, before + 1) or now
  local is_new = not placed
  if is_new then
    placed = ''
    if string.sub(ids, 1, 12) ~= FIRST_ID then ids = FIRST_ID .. ' ' .. ids end
  end
  local positions, lines = { before }, {}
  for from = 1, #ids, 13 do
    local event = string.sub(ids, from, from + 11)
    if event > placed then
      local position = string.format('%016.0f', at)
      positions[#positions + 1] = position
      lines[#lines + 1] = position .. ' ' .. id .. ' ' .. event
      at = at + 1
      placed = event
    end
  end
  if #lines == 0 then return before, placed end
  local is_due = not newest or math.floor(before / HOUR_US) ~= math.floor(now / HOUR_US)
  local is_missing = (is_due or begins) and redis.call('EXPIRE', jobs, ttl) == 0
  if is_new or is_missing then
    local last = redis.call('ZREVRANGE', jobs, 0, 0, 'WITHSCORES')
    redis.call('ZADD', jobs, 'NX', string.format('%.0f', math.max(now, (last[2] or 0) + 1)), member)
    if not last[1] then redis.call('EXPIRE', jobs, ttl) end
  end
  local length = redis.call('RPUSH', order, unpack(lines))
  -- A run may keep the order for longer, or without expiry.
  local left = newest and is_due and redis.call('PTTL', order) or 0
  if is_due and left >= 0 and left < ttl * 1000 then redis.call('EXPIRE', order, ttl) end
  if length > ORDER_CAPACITY then redis.call('LTRIM', order, -ORDER_CAPACITY, -1) end
  if is_new and length % TRIM_EVERY <= #lines then
    redis.call('ZREMRANGEBYRANK', jobs, 0, -JOBS_CAPACITY - 1)
  end
  return table.concat(positions, ' '), placed
end
