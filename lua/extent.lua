#!lua flags=no-writes
-- extent: which entries the stream of messages holds, without their content.
--
-- KEYS    1  …:checkouts
-- RETURNS {entries, entries ever added, id that was given last, id of the first entry or ""}
-- ERRORS  ERR when there is no such key, WRONGTYPE when it is no stream
-- WRITES  nothing
-- COST    O(bytes of the first and the last entry)
-- WHY     XINFO STREAM sends the first and the last entry whole, and one of them may be too large to be sent.
local values = {}
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do values[info[i]] = info[i + 1] end
local first = values['first-entry']
return {values['length'], values['entries-added'], values['last-generated-id'], first and first[1] or ''}
