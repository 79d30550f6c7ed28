-- Common: what the scripts share; put before each of them, behind the lines that name arq's keys:
--   JOB, RESULT, QUEUE  (prefixes and the queue of arq)  and  OWN  (the prefix of what is ours)
--
--   JOB..uid          string  the job, in arq's format; there until it has ended
--   RESULT..uid       string  how it ended well, in arq's format; there for keep_done_s
--   QUEUE[..':'..queue][..'#'..priority]   zset  uid by due time in ms; by RUNNING + ms while it runs
--   OWN..'job:'..uid  hash    what is known besides, once there is something:
--                             a attempt, w worker, s started us, r was due ms, q queue, l level key,
--                             e number of errors, c cancelling, g progress, t its turn has come,
--                             h held since due ms, v state after the end, f finished us,
--                             sk/sl slots, pk/pi pace and us between two beginnings, b batch,
--                             u has a unique key that its end frees
--   OWN..'seen:'..uid       string  it has been, and is not kept twice: 1, or 2 when it may be retried
--   OWN..'errors:'..uid     list  the last errors as JSON
--   OWN..'levels:'..queue   zset  the priorities but 0 that a queue has jobs of
--   OWN..'leases:'..queue   zset  uid of what runs by the end of its lease in us
--   OWN..'ended:'..queue    zset  uid of what is done, by its end in us
--   OWN..'slots:'..key set, OWN..'held:'..key zset, OWN..'pace:'..key string, OWN..'batch:'..uid hash
--   OWN..'queues', 'paused', 'heldkeys' sets, 'helds' hash, 'heldplace' string: the renewal's place
--   OWN..'buried' zset, 'freed' and 'forgotten' sets, 'thens' list: what is on its way to the
--   database
--
-- Times are in microseconds. Keys are computed here: Redis Cluster is not supported.
local RUNNING = 1e15  -- behind the last due time that there is, in the year 9999
local BATCH_KEPT_S = 30 * 86400

-- Note that a job has been, so that it is not kept again when somebody brings it once more: 1, or
-- 2 where its row in the database may still begin again.
local function remember(uid, how)
  redis.call('SET', OWN .. 'seen:' .. uid, how, 'EX', 86400)
end

local function now_us(ahead_us)
  local time = redis.call('TIME')
  return time[1] * 1e6 + time[2] + tonumber(ahead_us)
end

local function exact(number)
  return string.format('%.17g', number)
end

local function level_of(queue, priority)
  local key = queue == 'default' and QUEUE or QUEUE .. ':' .. queue
  if priority ~= 0 then
    key = key .. '#' .. string.format('%d', priority)
  end
  return key
end

-- The levels of a queue as {priority, key}.
local function levels_of(queue)
  local levels = { { 0, level_of(queue, 0) } }
  for _, priority in ipairs(redis.call('ZRANGE', OWN .. 'levels:' .. queue, 0, -1)) do
    levels[#levels + 1] = { tonumber(priority), level_of(queue, tonumber(priority)) }
  end
  return levels
end

local function wake(queue)
  redis.call('PUBLISH', OWN .. 'wake', queue)
end

local function priority_of(level)
  return tonumber(string.match(level, '#(-?%d+)$')) or 0
end

local function note_level(queue, priority)
  if priority ~= 0 then
    redis.call('ZADD', OWN .. 'levels:' .. queue, priority, priority)
  end
end

-- Where nobody is held for any key, no queue has any: a count that is wrong ends there.
local function no_more_held(key)
  redis.call('SREM', OWN .. 'heldkeys', key)
  if redis.call('EXISTS', OWN .. 'heldkeys') == 0 then
    redis.call('DEL', OWN .. 'helds')
  end
end

-- Let the next of a key's held jobs be due again: among the first 50 that of the smallest priority.
local function promote(key)
  local held = redis.call('ZRANGE', OWN .. 'held:' .. key, 0, 49)
  local uid, job, smallest
  for _, each in ipairs(held) do
    local found = redis.call('HMGET', OWN .. 'job:' .. each, 'l', 'q', 'h')
    if not found[3] then
      redis.call('ZREM', OWN .. 'held:' .. key, each)  -- what is known of it is gone from Redis
    elseif not uid or priority_of(found[1]) < smallest then
      uid, job, smallest = each, found, priority_of(found[1])
    end
  end
  if not uid then
    if #held == 0 then
      no_more_held(key)
    end
    return
  end
  redis.call('ZREM', OWN .. 'held:' .. key, uid)
  redis.call('HDEL', OWN .. 'job:' .. uid, 'h')
  redis.call('HINCRBY', OWN .. 'helds', job[2], -1)
  redis.call('ZADD', job[1], job[3], uid)
  note_level(job[2], smallest)
  wake(job[2])
end

local function release_slot(key, uid)
  if key and redis.call('SREM', OWN .. 'slots:' .. key, uid) == 1 then
    promote(key)
  end
end

-- A batch is kept until its jobs have ended and `then` is on its way, or else for some time after
-- something happened to it: whoever began it may have been killed before there was a job.
local function keep_batch(key)
  if redis.call('HEXISTS', key, 'then') == 1 then
    redis.call('PERSIST', key)
  else
    redis.call('EXPIRE', key, BATCH_KEPT_S)
  end
end

-- Count a job of a batch as ended; at the last one what comes then goes to `thens`.
local function count_ended(batch, failed)
  local key = OWN .. 'batch:' .. batch
  if redis.call('EXISTS', key) == 0 then
    return
  end
  if failed > 0 then
    redis.call('HINCRBY', key, 'failed', failed)
  end
  if redis.call('HINCRBY', key, 'pending', -1) == 0 then
    local following = redis.call('HGET', key, 'then')
    if following then
      redis.call('HDEL', key, 'then')
      redis.call('RPUSH', OWN .. 'thens', following)
    end
  end
  keep_batch(key)
end

-- Count a failed job of a batch as one that has not ended.
local function count_again(batch)
  local key = OWN .. 'batch:' .. batch
  if redis.call('EXISTS', key) == 1 then
    redis.call('HINCRBY', key, 'pending', 1)
    redis.call('HINCRBY', key, 'failed', -1)
    keep_batch(key)
  end
end

-- End a job otherwise than well: it waits in `buried` until its row is in the database.
-- 3 is dead, 4 is cancelled.
local function bury(uid, state, now)
  redis.call('HSET', OWN .. 'job:' .. uid, 'v', state, 'f', exact(now))
  redis.call('HDEL', OWN .. 'job:' .. uid, 'c', 'h', 't')
  redis.call('ZADD', OWN .. 'buried', exact(now), uid)
  local job = redis.call('HMGET', OWN .. 'job:' .. uid, 'b', 'u')
  if job[1] then
    count_ended(job[1], 1)
  end
  if job[2] then
    redis.call('SADD', OWN .. 'freed', uid)
  end
end

-- Take a job that waits out of its queue, or from among the held ones; whether it was there.
-- Its level is known only once it has been claimed or held: before, every level is tried.
local function take_out(uid, job)
  if job[2] then
    redis.call('ZREM', OWN .. 'held:' .. job[5], uid)
    redis.call('HINCRBY', OWN .. 'helds', job[4], -1)
    return true
  end
  if job[3] then
    return redis.call('ZREM', job[3], uid) == 1
  end
  for _, queue in ipairs(redis.call('SMEMBERS', OWN .. 'queues')) do
    for _, level in ipairs(levels_of(queue)) do
      if redis.call('ZREM', level[2], uid) == 1 then
        redis.call('HSET', OWN .. 'job:' .. uid, 'q', queue, 'l', level[2])
        return true
      end
    end
  end
  return false
end

-- End a job that waits, and ask the worker of a running one to; whether it was either.
local function cancel(uid, now)
  local own = OWN .. 'job:' .. uid
  local job = redis.call('HMGET', own, 'w', 'h', 'l', 'q', 'sk', 'v')
  if redis.call('EXISTS', JOB .. uid) == 0 or job[6] then
    return false
  end
  if job[1] then
    redis.call('HSET', own, 'c', 1)
    redis.call('SADD', OWN .. 'cancelling:' .. job[1], uid)
    redis.call('EXPIRE', OWN .. 'cancelling:' .. job[1], 86400)
    return true
  end
  if not take_out(uid, job) then
    return false
  end
  bury(uid, 4, now)
  return true
end
