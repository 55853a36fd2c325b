#!lua flags=no-writes
-- extent: returns which entries the stream of messages holds, without their content.
--
-- KEYS    1  …:checkouts
-- ARGV    ids to look up, at most 4,000
-- RETURNS {entries, entries ever added, last generated id, id of the first entry or "", the ids that are missing}
-- ERRORS  ERR if the key does not exist, WRONGTYPE if it is not a stream
-- WRITES  nothing
-- COST    O(bytes of the first and the last entry, and of those in ARGV)
-- WHY     XINFO STREAM and XRANGE return whole entries, and an entry may be too large to be sent.
local values = {}
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do values[info[i]] = info[i + 1] end
local first = values['first-entry']
local absent = {}
for _, id in ipairs(ARGV) do
  if #redis.call('XRANGE', KEYS[1], id, id) == 0 then absent[#absent + 1] = id end
end
return {values['length'], values['entries-added'], values['last-generated-id'], first and first[1] or '', absent}
