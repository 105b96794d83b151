-- Reads the state of several jobs.
-- key prefix: beginning of the keys of jobs
-- arg fields: names of the fields to read from each hash, separated by spaces
-- rest: IDs of the jobs
--
-- Returns for each job the values of the fields and the outcome; false for each that is missing.
local names = {}
for name in string.gmatch(fields, '%S+') do names[#names + 1] = name end
local states = {}
for i, id in ipairs(rest) do
  local state = redis.call('HMGET', prefix .. id, unpack(names))
  state[#names + 1] = redis.call('GET', prefix .. id .. ':end')
  states[i] = state
end
return states
