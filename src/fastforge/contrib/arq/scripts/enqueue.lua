-- Enqueue: keep jobs and wake the workers, in one round trip.
--
-- KEYS: none.
-- ARGV: us that the clock is ahead, then for each job: uid, payload, queue, priority, due us or '', delay us,
--   slots key or '', slots limit, pace key or '', us between, batch or '', 1 when its end frees a
--   key, errors of its attempts before as a JSON list of JSON texts or '', 1 when it begins again.
-- Returns for each job 1, or 0 when it was enqueued before.
local now = now_us(ARGV[1])
local kept, queues = {}, {}
local first, each = 2, 14
local count = (#ARGV - first + 1) / each
local sequence

-- Whether a job was kept before. One that was, and has ended, may have been given its unique key
-- once more when it was brought here again: nothing else would free it.
local function is_known(uid, is_again, frees)
  if redis.call('EXISTS', JOB .. uid, RESULT .. uid, OWN .. 'seen:' .. uid) == 0 then
    return false
  end
  local is_there = redis.call('EXISTS', JOB .. uid) == 1
  if is_again and not is_there and redis.call('GET', OWN .. 'seen:' .. uid) == '2' then
    redis.call('DEL', OWN .. 'seen:' .. uid)
    return false
  end
  if frees and (not is_there or redis.call('HEXISTS', OWN .. 'job:' .. uid, 'v') == 1) then
    redis.call('SADD', OWN .. 'freed', uid)
  end
  return true
end

for number = 0, count - 1 do
  local at = first + number * each
  local uid, queue, priority = ARGV[at], ARGV[at + 2], tonumber(ARGV[at + 3])
  if is_known(uid, ARGV[at + 13] == '1', ARGV[at + 11] == '1') then
    kept[#kept + 1] = 0
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
      queues[queue] = {}
      redis.call('SADD', OWN .. 'queues', queue)
    end
    if priority ~= 0 and not queues[queue][priority] then
      queues[queue][priority] = true
      redis.call('ZADD', OWN .. 'levels:' .. queue, priority, priority)
    end
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
    if ARGV[at + 13] == '1' and ARGV[at + 10] ~= '' then
      count_again(ARGV[at + 10])
    end
    if #more > 0 then
      redis.call('HSET', OWN .. 'job:' .. uid, unpack(more))
    end
  end
end
for queue in pairs(queues) do
  wake(queue)
end
return kept
