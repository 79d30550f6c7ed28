-- Stats: what waits and runs, by queue.
--
-- KEYS: none.
-- ARGV: us ahead, ms that results are kept.
-- Returns for each queue {name, ready, scheduled, held, running, done, us that the first is due or
--   '', done in the last minute, 1 when it is paused}.
local now = now_us(ARGV[1])
local keep_us = ARGV[2] * 1000
local found = {}
for _, queue in ipairs(redis.call('SUNION', OWN .. 'queues', OWN .. 'paused')) do
  local ready, scheduled, oldest = 0, 0, ''
  for _, level in ipairs(levels_of(queue)) do
    local due = redis.call('ZCOUNT', level[2], '-inf', exact(now / 1000))
    ready = ready + due
    scheduled = scheduled + redis.call('ZCOUNT', level[2], '(' .. exact(now / 1000),
      exact(RUNNING))
    if due > 0 then
      local first = redis.call('ZRANGE', level[2], 0, 0, 'WITHSCORES')
      local age = now - tonumber(first[2]) * 1000
      if oldest == '' or age > oldest then
        oldest = age
      end
    end
  end
  found[#found + 1] = {
    queue, ready, scheduled, tonumber(redis.call('HGET', OWN .. 'helds', queue) or 0),
    redis.call('ZCARD', OWN .. 'leases:' .. queue),
    keep_us > 0 and redis.call('ZCOUNT', OWN .. 'ended:' .. queue, exact(now - keep_us), '+inf') or 0,
    oldest == '' and '' or exact(oldest),
    redis.call('ZCOUNT', OWN .. 'ended:' .. queue, exact(now - 60e6), '+inf'),
    redis.call('SISMEMBER', OWN .. 'paused', queue),
  }
end
return found
