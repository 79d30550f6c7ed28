-- Settle: record how attempts ended, behind the fence of worker and attempt.
--
-- KEYS: none.
-- ARGV: us ahead, ms that results are kept, 1 to end only attempts whose lease has run out;
--   then for each: uid, worker, attempt, verdict (S succeeded, R retry, P put back, I interrupted,
--   D dead, C cancelled), delay us, error as JSON or '', result or ''.
-- Returns {1 when rows are to be written to the database, 1 when keys are to be freed there,
--   1 when a batch is over, then for each 1, or 2 when somebody wanted it cancelled in place of that,
--   or 0 when the attempt was not held any more}.
local SEEN_S = 86400
local now = now_us(ARGV[1])
local keep_ms, expired_only = tonumber(ARGV[2]), ARGV[3] == '1'
local results, due = {}, {}

local function succeed(uid, own, job, result)
  redis.call('ZREM', job[4], uid)
  redis.call('DEL', JOB .. uid, own, OWN .. 'errors:' .. uid)
  if keep_ms > 0 then
    if job[9] then
      result = string.sub(result, 1, -2) .. ',"g":' .. job[9] .. '}'
    end
    redis.call('SET', RESULT .. uid, result, 'PX', keep_ms)
  end
  redis.call('ZADD', OWN .. 'ended:' .. job[3], exact(now), uid)
  if keep_ms < SEEN_S * 1000 then
    remember(uid, 1)
  end
  if job[6] then
    count_ended(job[6], 0)
  end
  if job[7] then
    redis.call('SADD', OWN .. 'freed', uid)
  end
end

local function put_back(uid, own, job, verdict, delay)
  redis.call('HDEL', own, 'w', 's', 'c', 'g')
  if verdict ~= 'R' then
    redis.call('HSET', own, 'a', job[2] - 1)
  end
  -- An interrupted one is due as it was, and so before what is younger.
  redis.call('ZADD', job[4], verdict == 'I' and job[10] or exact((now + delay) / 1000), uid)
  if tonumber(delay) == 0 then
    due[job[3]] = true
  end
end

for at = 4, #ARGV, 7 do
  local uid, verdict, error = ARGV[at], ARGV[at + 3], ARGV[at + 5]
  local own = OWN .. 'job:' .. uid
  local job = redis.call('HMGET', own, 'w', 'a', 'q', 'l', 'sk', 'b', 'u', 'c', 'g', 'r')
  local leases = OWN .. 'leases:' .. (job[3] or '')
  local held = job[1] == ARGV[at + 1] and job[2] == ARGV[at + 2]
  if held and expired_only then
    held = tonumber(redis.call('ZSCORE', leases, uid) or now) <= now
  end
  results[#results + 1] = held and (job[8] and verdict ~= 'S' and verdict ~= 'D' and 2 or 1) or 0
  if held then
    redis.call('ZREM', leases, uid)
    if error ~= '' then
      redis.call('RPUSH', OWN .. 'errors:' .. uid, error)
      redis.call('LTRIM', OWN .. 'errors:' .. uid, -10, -1)
      redis.call('HSET', own, 'e', 1)
    end
    if verdict == 'S' then
      succeed(uid, own, job, ARGV[at + 6])
    elseif verdict == 'D' or verdict == 'C' or job[8] then
      redis.call('ZREM', job[4], uid)
      bury(uid, verdict == 'D' and 3 or 4, now)
    else
      put_back(uid, own, job, verdict, ARGV[at + 4])
    end
    release_slot(job[5], uid)
  end
end
for queue in pairs(due) do
  wake(queue)
end
return {
  redis.call('EXISTS', OWN .. 'buried'), redis.call('EXISTS', OWN .. 'freed', OWN .. 'forgotten'),
  redis.call('EXISTS', OWN .. 'thens'), results,
}
