-- Forget: delete jobs whose row is in the database.
--
-- KEYS: none.
-- ARGV: for each uid, us of the end that the row tells of, or '' where nothing is known of it.
-- Returns nothing.
for at = 1, #ARGV, 2 do
  local uid = ARGV[at]
  local finished = redis.call('HGET', OWN .. 'job:' .. uid, 'f')
  local is_it = not finished or tonumber(finished) == tonumber(ARGV[at + 1])
  if is_it and redis.call('ZREM', OWN .. 'buried', uid) == 1 then
    redis.call('DEL', JOB .. uid, OWN .. 'job:' .. uid, OWN .. 'errors:' .. uid)
    remember(uid, 2)
  end
end
