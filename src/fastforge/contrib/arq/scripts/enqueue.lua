-- Enqueue: keep jobs and wake the workers, in one round trip.
--
-- KEYS: none.
-- ARGV: us that the clock is ahead, then for each job: uid, payload, queue, priority, due us or '', delay us,
--   slots key or '', slots limit, pace key or '', us between, batch or '', 1 when its end frees a
--   key, errors of its attempts before as a JSON list of JSON texts or '', where it begins again us
--   when it had ended or '', 1 when somebody wants it cancelled.
-- Returns for each job 1, or 0 when it was enqueued before.
local now = now_us(ARGV[1])
local kept, queues, batches = {}, {}, {}
local first, each = 2, 15
local count = (#ARGV - first + 1) / each
local sequence

-- Forget how a job has ended, for it begins again: it may be that its row is there by now, and
-- that nobody has told so here yet. Of another end than that of the row this tells nothing.
local function forget_end(uid, ended_us)
  local own = OWN .. 'job:' .. uid
  local job = redis.call('HMGET', own, 'v', 'f')
  if job[1] and tonumber(job[2]) == tonumber(ended_us) then
    redis.call('ZREM', OWN .. 'buried', uid)
    redis.call('DEL', JOB .. uid, own, OWN .. 'errors:' .. uid)
  elseif redis.call('EXISTS', JOB .. uid) == 1 or redis.call('GET', OWN .. 'seen:' .. uid) ~= '2' then
    return false
  end
  redis.call('DEL', OWN .. 'seen:' .. uid)
  redis.call('SREM', OWN .. 'freed', uid)
  return true
end

-- Whether a job was kept before. One that was, and has ended, may have been given its unique key
-- once more when it was brought here again: nothing else would free it.
local function is_known(uid, ended_us, frees)
  if redis.call('EXISTS', JOB .. uid, RESULT .. uid, OWN .. 'seen:' .. uid) == 0 then
    return false
  end
  if ended_us ~= '' and forget_end(uid, ended_us) then
    return false
  end
  local is_there = redis.call('EXISTS', JOB .. uid) == 1
  if frees and (not is_there or redis.call('HEXISTS', OWN .. 'job:' .. uid, 'v') == 1) then
    redis.call('SADD', OWN .. 'freed', uid)
  end
  return true
end

for number = 0, count - 1 do
  local at = first + number * each
  local uid, queue, priority = ARGV[at], ARGV[at + 2], tonumber(ARGV[at + 3])
  if is_known(uid, ARGV[at + 13], ARGV[at + 11] == '1') then
    kept[#kept + 1] = 0
    if ARGV[at + 14] == '1' then
      cancel(uid, now)
    end
  else
    kept[#kept + 1] = 1
    redis.call('SET', JOB .. uid, ARGV[at + 1])
    -- Two jobs of one moment keep their order: the score has room for less than a microsecond.
    local score = now / 1000 - (count - number) * 0.0005
    if ARGV[at + 4] ~= '' or ARGV[at + 5] ~= '0' then
      sequence = sequence or redis.call('INCRBY', OWN .. 'sequence', count) - count
      local due = ARGV[at + 4] == '' and now + ARGV[at + 5] or tonumber(ARGV[at + 4])
      score = due / 1000 + (sequence + number) % 1000 * 0.0005
    end
    redis.call('ZADD', level_of(queue, priority), exact(score), uid)
    if not queues[queue] then
      queues[queue] = true
      redis.call('SADD', OWN .. 'queues', queue)
    end
    note_level(queue, priority)
    local more = {}
    if ARGV[at + 6] ~= '' then
      more = { 'sk', ARGV[at + 6], 'sl', ARGV[at + 7] }
    end
    if ARGV[at + 8] ~= '' then
      more[#more + 1], more[#more + 2] = 'pk', ARGV[at + 8]
      more[#more + 1], more[#more + 2] = 'pi', ARGV[at + 9]
    end
    if ARGV[at + 10] ~= '' then
      more[#more + 1], more[#more + 2] = 'b', ARGV[at + 10]
    end
    if ARGV[at + 11] == '1' then
      more[#more + 1], more[#more + 2] = 'u', 1
    end
    if ARGV[at + 12] ~= '' then
      for _, error in ipairs(cjson.decode(ARGV[at + 12])) do
        redis.call('RPUSH', OWN .. 'errors:' .. uid, error)
      end
      more[#more + 1], more[#more + 2] = 'e', 1
    end
    if ARGV[at + 10] ~= '' then
      if ARGV[at + 13] ~= '' then
        count_again(ARGV[at + 10])
      end
      batches[ARGV[at + 10]] = true
    end
    if #more > 0 then
      redis.call('HSET', OWN .. 'job:' .. uid, unpack(more))
    end
    if ARGV[at + 14] == '1' then
      cancel(uid, now)
    end
  end
end
for batch in pairs(batches) do
  keep_batch(OWN .. 'batch:' .. batch)
end
for queue in pairs(queues) do
  wake(queue)
end
return kept
