-- Sets a mark where none is, and returns those that stand, for so long at least.
-- KEYS: where. ARGV: the mark, milliseconds.
local standing = {}
for number, key in ipairs(KEYS) do
  local mark = redis.call('get', key)
  if not mark then
    mark = ARGV[1]
    redis.call('set', key, mark, 'px', ARGV[2])
  elseif redis.call('pttl', key) < tonumber(ARGV[2]) then
    redis.call('pexpire', key, ARGV[2])
  end
  standing[number] = mark
end
return standing
