-- Publish a message: give it an id that grows, keep it if the room has a history, tell every process.
-- An id has the time in it (milliseconds * 4096), so that it also says how long ago it was given.
-- What was carried out, and whose answer got lost, may be sent again: it is known by KEYS[3] for ARGV[7] ms.
local again = ARGV[7] ~= '' and redis.call('GET', KEYS[3])
if again then
  return again
end
local known = redis.call('HMGET', KEYS[1], 'id', 'epoch')
local time = redis.call('TIME')
local now = (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)) * 4096
local id = now
if known[1] and tonumber(known[1]) >= now then
  id = tonumber(known[1]) + 1
end
local text = string.format('%.0f', id)
redis.call('HSET', KEYS[1], 'id', text, 'epoch', known[2] or ARGV[6])
if ARGV[7] ~= '' then
  redis.call('SET', KEYS[3], text, 'PX', ARGV[7])
end
-- Before it is kept: a user that may not publish would keep what nobody was given.
redis.call('PUBLISH', ARGV[1], text .. ' ' .. ARGV[3] .. ' ' .. ARGV[2])
local count = tonumber(ARGV[4])
if count > 0 then
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
  local before = last[1] and string.match(last[1][1], '^%d+') or ''
  redis.call('XADD', KEYS[2], 'MAXLEN', '=', count, text .. '-0', 'b', before, 'e', ARGV[3], 'd', ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
return text
