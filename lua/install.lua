#!lua flags=allow-oom
-- install: replaces the old counters with those of a new epoch, prepared under a separate key.
--
-- KEYS    1  …:stock   2  …:stock.next:EPOCH, the prepared hash
-- ARGV    1  identity of the ledger
--         2  the new epoch
--         3  highest seq the ledger has recorded
--         4  how many messages it has recorded (orders, cancellations, adjustments, refunds, dead letters)
--         5  how many fields the prepared hash must have
--         6  position of the last row of the ledger's journal
-- RETURNS {"INSTALLED", position up to which the journal is announced}
--         {"OTHER_LEDGER", identity}: the counters belong to another ledger
--         {"EPOCH_NOT_LOWER", epoch}: they are of this epoch or a later one
--         {"LEDGER_BEHIND", settled, recorded}: the ledger had recorded more than it holds now
--         {"INCOMPLETE", fields}: the prepared hash does not have the fields that were sent
--         with every result but the first, nothing was changed
-- ERRORS  WRONGTYPE if a key is not a hash
-- WRITES  renames the second key over the first, with its field 'announced'
-- COST    O(1): the old hash is freed in the background
-- WHY     One rename: readers see either all old counters or all new ones. Requiring a lower epoch makes a late or
--         repeated install harmless. allow-oom: without an epoch nothing is decided, and a full Redis stays full.
--         'announced' is carried over here, in the same atomic step: a late acknowledgement may have moved it since the
--         new counters were prepared. If it is missing, or belongs to the positions of another ledger, announcing
--         restarts from the beginning.
local found = redis.call('HMGET', KEYS[1], 'ledger', 'epoch', 'settled', 'recorded', 'announced')
if found[1] and found[1] ~= ARGV[1] then return {'OTHER_LEDGER', found[1]} end
if found[2] and (tonumber(found[2]) or 0) >= tonumber(ARGV[2]) then return {'EPOCH_NOT_LOWER', found[2]} end
if (tonumber(found[3] or '') or 0) > tonumber(ARGV[3]) or (tonumber(found[4] or '') or 0) > tonumber(ARGV[4]) then
  return {'LEDGER_BEHIND', found[3] or '', found[4] or ''}
end
local fields = redis.call('HLEN', KEYS[2])
if fields == 0 or fields ~= tonumber(ARGV[5]) then return {'INCOMPLETE', tostring(fields)} end
-- Must have the format that we write: positions are compared as strings.
local announced = string.match(found[5] or '', '^[1-9]%d*$') or '0'
if tonumber(announced) > tonumber(ARGV[6]) then announced = '0' end
redis.call('HSET', KEYS[2], 'announced', announced)
redis.call('UNLINK', KEYS[1])
redis.call('RENAME', KEYS[2], KEYS[1])
return {'INSTALLED', announced}
