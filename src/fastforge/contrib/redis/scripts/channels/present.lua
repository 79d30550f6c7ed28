-- Say who is in a room, by the processes that have been renewed; forget those of others.
-- KEYS: the room's hash of "process key" to what is shown. ARGV: the beginning of the processes' keys.
local all = redis.call('HGETALL', KEYS[1])
local alive, answer = {}, {}
for place = 1, #all, 2 do
  local process, key = string.match(all[place], '^(%S+) (.*)$')
  if alive[process] == nil then
    alive[process] = redis.call('EXISTS', ARGV[1] .. process) == 1
  end
  if alive[process] then
    answer[#answer + 1] = key
    answer[#answer + 1] = all[place + 1]
  else
    redis.call('HDEL', KEYS[1], all[place])
  end
end
return answer
