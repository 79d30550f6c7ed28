-- Attend: note how far jobs are, and tell which of a worker's somebody wants cancelled.
--
-- KEYS: none.
-- ARGV: worker, then for each report uid, attempt, progress as JSON.
-- Returns the uids.
for at = 2, #ARGV, 3 do
  local own = OWN .. 'job:' .. ARGV[at]
  local job = redis.call('HMGET', own, 'w', 'a')
  if job[1] == ARGV[1] and job[2] == ARGV[at + 1] then
    redis.call('HSET', own, 'g', ARGV[at + 2])
  end
end
local wanted, found = OWN .. 'cancelling:' .. ARGV[1], {}
for _, uid in ipairs(redis.call('SMEMBERS', wanted)) do
  local job = redis.call('HMGET', OWN .. 'job:' .. uid, 'w', 'c')
  if job[1] == ARGV[1] and job[2] then
    found[#found + 1] = uid
  else
    redis.call('SREM', wanted, uid)
  end
end
return found
