-- Strays: make due again, uncounted, what a worker holds without knowing; what somebody wants
-- cancelled is.
--
-- KEYS: none.
-- ARGV: us ahead, worker, then the uids that it knows.
-- Returns how many there were.
local now = now_us(ARGV[1])
local known, count = {}, 0
for at = 3, #ARGV do
  known[ARGV[at]] = true
end
for _, queue in ipairs(redis.call('SMEMBERS', OWN .. 'queues')) do
  local found = count
  for _, uid in ipairs(redis.call('ZRANGE', OWN .. 'leases:' .. queue, 0, -1)) do
    local own = OWN .. 'job:' .. uid
    local job = redis.call('HMGET', own, 'w', 'a', 'l', 'sk', 'r', 'c')
    if job[1] == ARGV[2] and not known[uid] then
      redis.call('ZREM', OWN .. 'leases:' .. queue, uid)
      redis.call('HSET', own, 'a', job[2] - 1)
      if job[6] then
        redis.call('ZREM', job[3], uid)
        bury(uid, 4, now)
      else
        redis.call('HDEL', own, 'w', 's', 'g')
        redis.call('ZADD', job[3], job[5], uid)
      end
      release_slot(job[4], uid)
      count = count + 1
    end
  end
  if count > found then
    wake(queue)
  end
end
return count
