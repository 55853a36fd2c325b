#!lua flags=no-writes
-- inspect: returns how large an entry is, without sending it.
--
-- KEYS    1  …:checkouts
-- ARGV    1  id of the entry
--         2  maximum memory of the whole stream, in bytes: while the script runs, Redis holds the entry two more times
-- RETURNS {"ENTRY", fields, bytes of their names and values, SHA-1 of the value of "payload" or ""}
--         {"UNBEARABLE", bytes of the stream}: the entry may be too large to be loaded
--         {"GONE"}: the entry does not exist
-- ERRORS  WRONGTYPE if the key is not a stream; NOPERM or ERR if the user may not run MEMORY USAGE
-- WRITES  nothing
-- COST    O(nodes of the stream) + O(bytes of the entry): about 5 ms per MiB, during which Redis serves no other client
-- WHY     An entry can have 1 GiB, and no command returns its size without sending it.
local usage = redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', '0')
if not usage then return {'GONE'} end
if usage > tonumber(ARGV[2]) then return {'UNBEARABLE', usage} end
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return {'GONE'} end
local parts, bytes, digest = entry[2], 0, ''
for i = 1, #parts do bytes = bytes + #parts[i] end
for i = 1, #parts - 1, 2 do
  if parts[i] == 'payload' then
    digest = redis.sha1hex(parts[i + 1])
    break
  end
end
return {'ENTRY', #parts / 2, bytes, digest}
