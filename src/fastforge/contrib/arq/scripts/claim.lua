-- Claim: give due jobs to a worker, each to one only, and count their attempts.
--
-- Those of the smallest priority and due time come first. What may not begin yet is moved out of
-- the way: held while its slots are taken, or due later when it has a turn then. So a claim looks
-- at no job twice, and what waits behind costs it nothing.
--
-- KEYS: none.
-- ARGV: us ahead, worker, limit, us of a lease, then the queues.
-- Returns: us until the next one is due or '', then for each job
--   {uid, payload or '', attempt, started us, due ms, queue, errors}.
local HORIZON_US = 60e6
local BUDGET = 2000

local now = now_us(ARGV[1])
local worker, limit, until_us = ARGV[2], tonumber(ARGV[3]), exact(now + ARGV[4])
local found, looked, known = {}, 0, {}

local function take(uid, score, queue, level)
  local own = OWN .. 'job:' .. uid
  if not known[queue] then
    -- What arq's own client has enqueued made no note of its queue, and leases are found by that.
    known[queue] = true
    redis.call('SADD', OWN .. 'queues', queue)
  end
  local job = redis.call('HMGET', own, 'a', 'sk', 'sl', 'pk', 'pi', 't', 'e')
  local slots = job[2] and OWN .. 'slots:' .. job[2]
  if slots and redis.call('SCARD', slots) >= tonumber(job[3]) then
    redis.call('ZREM', level, uid)
    redis.call('ZADD', OWN .. 'held:' .. job[2], score, uid)
    redis.call('SADD', OWN .. 'heldkeys', job[2])
    redis.call('HINCRBY', OWN .. 'helds', queue, 1)
    redis.call('HDEL', own, 't')
    redis.call('HSET', own, 'h', score, 'l', level, 'q', queue)
    return
  end
  if job[4] and not job[6] then
    local turn = math.max(now, tonumber(redis.call('GET', OWN .. 'pace:' .. job[4])) or 0)
    if turn > now + HORIZON_US then
      -- It asks again then, in the order that it has now.
      redis.call('ZADD', level, exact((now + HORIZON_US) / 1000 + looked * 0.0005), uid)
      return
    end
    local following = turn + job[5]
    redis.call('SET', OWN .. 'pace:' .. job[4], exact(following),
      'PX', math.ceil((following - now) / 1000) + 1000)
    if turn > now then
      redis.call('HSET', own, 't', 1)
      redis.call('ZADD', level, exact(turn / 1000), uid)
      return
    end
  end
  local attempt = (tonumber(job[1]) or 0) + 1
  redis.call('HSET', own, 'a', attempt, 'w', worker, 's', exact(now), 'r', score, 'q', queue, 'l', level)
  if job[6] then
    redis.call('HDEL', own, 't')
  end
  redis.call('ZADD', level, exact(RUNNING + now / 1000), uid)
  redis.call('ZADD', OWN .. 'leases:' .. queue, until_us, uid)
  if slots then
    redis.call('SADD', slots, uid)
  end
  local errors = job[7] and redis.call('LRANGE', OWN .. 'errors:' .. uid, 0, -1) or {}
  found[#found + 1] =
    { uid, redis.call('GET', JOB .. uid) or '', attempt, exact(now), score, queue, errors }
end

local levels = {}
for at = 5, #ARGV do
  local queue = ARGV[at]
  if redis.call('SISMEMBER', OWN .. 'paused', queue) == 0 then
    for _, level in ipairs(levels_of(queue)) do
      levels[#levels + 1] = { level[1], level[2], queue }
    end
  end
end
table.sort(levels, function(one, other) return one[1] < other[1] end)

local at = 1
while at <= #levels and #found < limit and looked < BUDGET do
  local due, last = {}, at
  while last < #levels and levels[last + 1][1] == levels[at][1] do
    last = last + 1
  end
  for number = at, last do
    local level = levels[number]
    local got = redis.call('ZRANGEBYSCORE', level[2], '-inf', exact(now / 1000),
      'WITHSCORES', 'LIMIT', 0, limit - #found)
    for place = 1, #got, 2 do
      due[#due + 1] = { got[place], got[place + 1], tonumber(got[place + 1]), level }
    end
  end
  if last > at then
    table.sort(due, function(one, other) return one[3] < other[3] end)
  end
  for _, job in ipairs(due) do
    if #found < limit then
      take(job[1], job[2], job[4][3], job[4][2])
      looked = looked + 1
    end
  end
  if #due == 0 then
    at = last + 1
  end
end

local next_us = ''
if #found < limit then
  for _, level in ipairs(levels) do
    local first = redis.call('ZRANGE', level[2], 0, 0, 'WITHSCORES')
    if #first > 0 and tonumber(first[2]) < RUNNING then
      local left = tonumber(first[2]) * 1000 - now
      if next_us == '' or left < next_us then
        next_us = left
      end
    end
  end
end
return { next_us == '' and '' or exact(next_us), found }
