#!lua flags=allow-oom
-- stage: writes some of the counters of a new epoch under a separate key.
--
-- KEYS    1  …:stock.next:EPOCH
-- ARGV    fields and values, alternating
-- RETURNS how many fields were written; install counts the fields that exist
-- ERRORS  WRONGTYPE if the key is not a hash; ERR without a field, or with a field that has no value: nothing is
--         written
-- WRITES  the hash
-- COST    O(fields), about 1 µs each
-- WHY     allow-oom: a full Redis refuses a plain HSET, and could then never open the epoch in which it is drained.
local slice = 4000 -- values a call: unpack fails near 8,000

if #ARGV == 0 or #ARGV % 2 ~= 0 then return redis.error_reply('ERR stage: fields and values must come in pairs') end
for first = 1, #ARGV, slice do
  redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + slice - 1, #ARGV)))
end
return #ARGV / 2
