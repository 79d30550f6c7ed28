-- Page: some members of a sorted set, those of the highest scores first.
--
-- KEYS: none.
-- ARGV: key, highest score, lowest score, how many to leave out, how many at most.
-- Returns the members, each followed by its score.
return redis.call('ZREVRANGEBYSCORE', ARGV[1], ARGV[2], ARGV[3], 'WITHSCORES', 'LIMIT', ARGV[4], ARGV[5])
