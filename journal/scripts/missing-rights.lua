-- Runs each command once and returns the names of those that this user may not run. Redis checks permissions first, so the
-- type of the key does not matter.
-- key probe: a temporary key, deleted at the end
-- arg channel: channel to publish on
-- rest: commands; `K` is replaced by the key
local missing = {}
local function try(name, ...)
  local reply = redis.pcall(...)
  local fault = type(reply) == 'table' and reply.err
  if fault and (fault:find('NOPERM') or fault:find("can't run this command") or fault:find('no permissions')) then
    missing[#missing + 1] = name
  end
end
for _, command in ipairs(rest) do
  local words = {}
  for word in command:gmatch('%S+') do words[#words + 1] = word == 'K' and probe or word end
  try(words[1], unpack(words))
end
try('PUBLISH to ' .. channel, 'PUBLISH', channel, '')
redis.pcall('DEL', probe)
return missing
