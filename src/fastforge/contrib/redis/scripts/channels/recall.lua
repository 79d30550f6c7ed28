-- Say where a room stands, and what came after an id: {epoch, last id, all of it?, id, exclude, data, ...}
local known = redis.call('HMGET', KEYS[1], 'id', 'epoch')
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = known[2]
if not epoch then
  epoch = ARGV[4]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
-- What is published from now on has a larger id, also within this millisecond.
-- It is kept, so that this is so after the clock of the server was set back as well.
local last = now_ms * 4096 - 1
if known[1] and tonumber(known[1]) >= last then
  last = tonumber(known[1])
else
  redis.call('HSET', KEYS[1], 'id', string.format('%.0f', last))
end
local answer = {epoch, string.format('%.0f', last), 0}
local after = tonumber(ARGV[1])
if not after or ARGV[2] ~= epoch or after > last then
  return answer
end
local ttl_ms = tonumber(ARGV[3])
local after_ms = math.floor(after / 4096)
local found = redis.call('XRANGE', KEYS[2], string.format('%.0f', after + 1) .. '-0', '+')
if #found == 0 then
  -- What came since would still be there, unless all of it is over.
  if redis.call('EXISTS', KEYS[2]) == 1 or now_ms - after_ms < ttl_ms then
    answer[3] = 1
  end
  return answer
end
for number, entry in ipairs(found) do
  local id, fields = string.match(entry[1], '^%d+'), {}
  for place = 1, #entry[2], 2 do
    fields[entry[2][place]] = entry[2][place + 1]
  end
  if number == 1 then
    local before = tonumber(fields['b'])
    if before then
      answer[3] = before <= after and 1 or 0
    elseif math.floor(tonumber(id) / 4096) - after_ms < ttl_ms then
      answer[3] = 1
    end
  end
  answer[#answer + 1] = id
  answer[#answer + 1] = fields['e']
  answer[#answer + 1] = fields['d']
end
return answer
