-- Discard: forget jobs that do not run, as if they had never been.
--
-- KEYS: none.
-- ARGV: uids.
-- Returns {how many, 0, 1 when keys are to be freed, 1 when a batch is over}.
local count = 0
for _, uid in ipairs(ARGV) do
  local own = OWN .. 'job:' .. uid
  local job = redis.call('HMGET', own, 'w', 'h', 'l', 'q', 'sk', 'v', 'b', 'u')
  local is_done = redis.call('DEL', RESULT .. uid) == 1
  if is_done then
    for _, queue in ipairs(redis.call('SMEMBERS', OWN .. 'queues')) do
      redis.call('ZREM', OWN .. 'ended:' .. queue, uid)
    end
    redis.call('SADD', OWN .. 'forgotten', uid)
    remember(uid, 1)
    count = count + 1
  elseif redis.call('EXISTS', JOB .. uid) == 1 and not job[1] and not job[6] and take_out(uid, job) then
    redis.call('DEL', JOB .. uid, own, OWN .. 'errors:' .. uid)
    remember(uid, 1)
    redis.call('SADD', OWN .. 'forgotten', uid)
    if job[7] then
      count_ended(job[7], 1)
    end
    count = count + 1
  end
end
return { count, 0, redis.call('EXISTS', OWN .. 'forgotten'), redis.call('EXISTS', OWN .. 'thens') }
