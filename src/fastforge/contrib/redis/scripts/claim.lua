-- Takes a lock that nobody has; returns a number that only grows, or 0.
-- KEYS: the lock, the counter. ARGV: the token, milliseconds.
if redis.call('set', KEYS[1], ARGV[1], 'nx', 'px', ARGV[2]) then
  return redis.call('incr', KEYS[2])
end
return 0
