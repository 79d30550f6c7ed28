-- Batch: begin a batch, before its jobs are kept.
--
-- KEYS: none.
-- ARGV: uid, how many jobs it has, what comes when all have ended or ''.
-- Returns 1, or 0 when it has begun before.
local key = OWN .. 'batch:' .. ARGV[1]
if redis.call('HSETNX', key, 'total', ARGV[2]) == 0 then
  return 0
end
redis.call('HSET', key, 'pending', ARGV[2], 'failed', 0)
if ARGV[3] ~= '' then
  redis.call('HSET', key, 'then', ARGV[3])
end
redis.call('EXPIRE', key, BATCH_KEPT_S)  -- until the first of its jobs is kept
return 1
