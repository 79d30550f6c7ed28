-- Forget: delete jobs whose row is in the database.
--
-- KEYS: none.
-- ARGV: uids.
-- Returns nothing.
for _, uid in ipairs(ARGV) do
  if redis.call('ZREM', OWN .. 'buried', uid) == 1 then
    redis.call('DEL', JOB .. uid, OWN .. 'job:' .. uid, OWN .. 'errors:' .. uid)
    remember(uid, 2)
  end
end
