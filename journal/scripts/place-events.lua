-- place_events gives events of one job their positions in the order of its workflow.
-- const FIRST_ID: the id of the event `queued`
-- const HOUR_US: an hour in microseconds
-- const ORDER_CAPACITY: positions that the order keeps
-- const JOBS_CAPACITY: jobs that the list of a user keeps
-- const TRIM_EVERY: the list is trimmed once in so many positions
--
-- placed: the newest event that has a position, false when none has: then the job is listed, and `queued` comes first
-- order, jobs: keys of the workflow's order and of the user's list
-- id, member: of the job; its member in that list
-- ttl: time to live of both keys, in s, renewed by the first position of each hour
-- ids: the events, with one space between them; those up to `placed` are skipped
-- begins: look whether the list is still there
--
-- Returns '<newest position before> <position>...' and the newest event that has a position now. Everything that can
-- fail comes before the one command that adds to the order, so a job is placed entirely or not at all.
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
  if is_due then redis.call('EXPIRE', order, ttl) end
  if length > ORDER_CAPACITY then redis.call('LTRIM', order, -ORDER_CAPACITY, -1) end
  if is_new and length % TRIM_EVERY <= #lines then
    redis.call('ZREMRANGEBYRANK', jobs, 0, -JOBS_CAPACITY - 1)
  end
  return table.concat(positions, ' '), placed
end
