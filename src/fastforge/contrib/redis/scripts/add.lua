-- Adds to a number; its time begins with it.
-- KEYS: the number. ARGV: what is added, milliseconds.
local total = redis.call('incrby', KEYS[1], ARGV[1])
if redis.call('pttl', KEYS[1]) < 0 then
  redis.call('pexpire', KEYS[1], ARGV[2])
end
return total
