-- Gives a lock back, if the token holds it.
-- KEYS: the lock. ARGV: the token.
if redis.call('get', KEYS[1]) == ARGV[1] then
  return redis.call('del', KEYS[1])
end
return 0
