-- Removes messages of some jobs from the event stream, one batch at a time.
-- key events: event stream of the queue
-- arg from: id of the first message to check
-- arg count: number of messages to check
-- rest: ids of the jobs
--
-- Returns the id to continue from, '' at the end.
local wanted = {}
for _, id in ipairs(rest) do wanted[id] = true end
local messages = redis.call('XRANGE', events, from, '+', 'COUNT', count)
local unwanted = {}
for _, message in ipairs(messages) do
  local fields = message[2]
  for at = 1, #fields, 2 do
    if fields[at] == 'jobId' and wanted[fields[at + 1]] then unwanted[#unwanted + 1] = message[1] end
  end
end
if #unwanted > 0 then redis.call('XDEL', events, unpack(unwanted)) end
if #messages < tonumber(count) then return '' end
return '(' .. messages[#messages][1]
