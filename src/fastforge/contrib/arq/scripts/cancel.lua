-- Cancel: end jobs that wait, and ask the workers of running ones to.
--
-- KEYS: none.
-- ARGV: us ahead, then the uids.
-- Returns {how many, 1 when a row is to be written, 1 when keys are to be freed, 1 when a batch is
--   over}.
local now, count = now_us(ARGV[1]), 0
for at = 2, #ARGV do
  local uid = ARGV[at]
  local own = OWN .. 'job:' .. uid
  local job = redis.call('HMGET', own, 'w', 'h', 'l', 'q', 'sk', 'v')
  if redis.call('EXISTS', JOB .. uid) == 1 and not job[6] then
    if job[1] then
      redis.call('HSET', own, 'c', 1)
      redis.call('SADD', OWN .. 'cancelling:' .. job[1], uid)
      redis.call('EXPIRE', OWN .. 'cancelling:' .. job[1], 86400)
      count = count + 1
    elseif take_out(uid, job) then
      bury(uid, 4, now)
      count = count + 1
    end
  end
end
return {
  count, redis.call('EXISTS', OWN .. 'buried'), redis.call('EXISTS', OWN .. 'freed'),
  redis.call('EXISTS', OWN .. 'thens'),
}
