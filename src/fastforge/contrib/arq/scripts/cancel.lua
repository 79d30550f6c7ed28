-- Cancel: end jobs that wait, and ask the workers of running ones to.
--
-- KEYS: none.
-- ARGV: us ahead, then the uids.
-- Returns {how many, 1 when a row is to be written, 1 when keys are to be freed, 1 when a batch is
--   over}.
local now, count = now_us(ARGV[1]), 0
for at = 2, #ARGV do
  if cancel(ARGV[at], now) then
    count = count + 1
  end
end
return {
  count, redis.call('EXISTS', OWN .. 'buried'), redis.call('EXISTS', OWN .. 'freed'),
  redis.call('EXISTS', OWN .. 'thens'),
}
