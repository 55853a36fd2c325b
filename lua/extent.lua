#!lua flags=no-writes
-- extent: which entries the stream of messages holds, without their content.
--
-- KEYS    1  …:checkouts
-- ARGV    ids to look for, any number up to 4,000
-- RETURNS {entries, entries ever added, id that was given last, id of the first entry or "", the ids that are missing}
-- ERRORS  ERR when there is no such key, WRONGTYPE when it is no stream
-- WRITES  nothing
-- COST    O(bytes of the first and the last entry, and of those in ARGV)
-- WHY     XINFO STREAM and XRANGE send entries whole, and one of them may be too large to be sent.
local values = {}
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do values[info[i]] = info[i + 1] end
local first = values['first-entry']
local absent = {}
for _, id in ipairs(ARGV) do
  if #redis.call('XRANGE', KEYS[1], id, id) == 0 then absent[#absent + 1] = id end
end
return {values['length'], values['entries-added'], values['last-generated-id'], first and first[1] or '', absent}
