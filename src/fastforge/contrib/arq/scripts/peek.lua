-- Peek: everything that is known of some jobs.
--
-- KEYS: none.
-- ARGV: uids.
-- Returns for each {uid, payload or '', result or '', its score or '', the hash as a list, errors};
--   of big ones for the first of them alone.
local BYTES = 4e6
local found, bytes = {}, 0
for _, uid in ipairs(ARGV) do
  if bytes >= BYTES then
    break
  end
  local own = redis.call('HGETALL', OWN .. 'job:' .. uid)
  local fields = {}
  for at = 1, #own, 2 do
    fields[own[at]] = own[at + 1]
  end
  local payload = redis.call('GET', JOB .. uid) or ''
  local result = payload == '' and redis.call('GET', RESULT .. uid) or ''
  local score = ''
  if payload ~= '' and fields.l then
    score = redis.call('ZSCORE', fields.l, uid) or ''
  elseif payload ~= '' then
    for _, queue in ipairs(redis.call('SMEMBERS', OWN .. 'queues')) do
      for _, level in ipairs(levels_of(queue)) do
        score = score == '' and redis.call('ZSCORE', level[2], uid) or score
      end
    end
  end
  local errors = fields.e and redis.call('LRANGE', OWN .. 'errors:' .. uid, 0, -1) or {}
  bytes = bytes + #payload + #(result or '')
  found[#found + 1] = { uid, payload, result or '', score or '', own, errors }
end
return found
