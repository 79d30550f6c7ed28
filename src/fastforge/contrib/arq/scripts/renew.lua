-- Renew: prolong the leases of a worker, and tell what is left to be done by anybody.
--
-- KEYS: none.
-- ARGV: us ahead, worker, us of a lease, ms that results are kept, then uid and attempt of each held.
-- Returns {uids with their attempts that are not held any more, jobs whose lease has run out as
--   {uid, worker, attempt, payload, errors}, 1 when rows are to be written, 1 when keys are to be freed,
--   1 when a batch is over}.
local EXPIRED = 500
local EXPIRED_BYTES = 4e6
local HELD_KEYS = 100
local OF_ONE_KEY = 50
local PRUNED = 20000
local LEAST_MS = 60000
local now = now_us(ARGV[1])
local until_us = exact(now + ARGV[3])
local lost, expired, bytes = {}, {}, 0
for at = 5, #ARGV, 2 do
  local uid = ARGV[at]
  local job = redis.call('HMGET', OWN .. 'job:' .. uid, 'w', 'a', 'q')
  if job[1] == ARGV[2] and job[2] == ARGV[at + 1] then
    redis.call('ZADD', OWN .. 'leases:' .. job[3], until_us, uid)
  else
    lost[#lost + 1] = { uid, ARGV[at + 1] }
  end
end
for _, queue in ipairs(redis.call('SMEMBERS', OWN .. 'queues')) do
  local over = redis.call('ZRANGEBYSCORE', OWN .. 'leases:' .. queue, '-inf', exact(now),
    'LIMIT', 0, EXPIRED)
  for _, uid in ipairs(over) do
    local job = redis.call('HMGET', OWN .. 'job:' .. uid, 'w', 'a')
    if job[1] and bytes < EXPIRED_BYTES then
      local payload = redis.call('GET', JOB .. uid) or ''
      bytes = bytes + #payload
      local errors = redis.call('LRANGE', OWN .. 'errors:' .. uid, 0, -1)
      expired[#expired + 1] = { uid, job[1], job[2], payload, errors }
    elseif not job[1] then
      redis.call('ZREM', OWN .. 'leases:' .. queue, uid)
    end
  end
  for _, level in ipairs(levels_of(queue)) do
    if level[1] ~= 0 and redis.call('EXISTS', level[2]) == 0 then
      redis.call('ZREM', OWN .. 'levels:' .. queue, level[1])
    end
  end
  local ended = OWN .. 'ended:' .. queue
  local over = redis.call('ZCOUNT', ended, '-inf',
    exact(now - math.max(tonumber(ARGV[4]), LEAST_MS) * 1000))
  if over > 0 then
    redis.call('ZREMRANGEBYRANK', ended, 0, math.min(over, PRUNED) - 1)
  end
end
-- Slots that are taken by nobody, and jobs that are held by them although one is free: of some keys
-- at each renewal, and of each a part, so that thousands of them stop nobody.
local function mend_slots(key)
  local slots = OWN .. 'slots:' .. key
  for _, uid in ipairs(redis.call('SRANDMEMBER', slots, OF_ONE_KEY)) do
    if not redis.call('HGET', OWN .. 'job:' .. uid, 'w') then
      redis.call('SREM', slots, uid)
    end
  end
  local held = redis.call('ZRANGE', OWN .. 'held:' .. key, 0, 0)
  if #held == 0 then
    no_more_held(key)
  else
    local limit = tonumber(redis.call('HGET', OWN .. 'job:' .. held[1], 'sl') or 1)
    for _ = 1, math.min(limit - redis.call('SCARD', slots), OF_ONE_KEY) do
      promote(key)
    end
  end
end

local place = redis.call('GET', OWN .. 'heldplace') or '0'
local scanned = redis.call('SSCAN', OWN .. 'heldkeys', place, 'COUNT', HELD_KEYS)
if scanned[1] ~= place then
  redis.call('SET', OWN .. 'heldplace', scanned[1])
end
for _, key in ipairs(scanned[2]) do
  mend_slots(key)
end
return {
  lost, expired, redis.call('EXISTS', OWN .. 'buried'), redis.call('EXISTS', OWN .. 'freed', OWN .. 'forgotten'),
  redis.call('EXISTS', OWN .. 'thens'),
}
