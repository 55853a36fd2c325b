#!lua flags=allow-oom
-- group: creates the consumer group on the stream of messages, and the stream, if they are missing.
--
-- KEYS    1  …:checkouts   2  …:intake
-- ARGV    1  consumer group
-- RETURNS CREATED, or EXISTS: the group existed and was not changed
-- ERRORS  WRONGTYPE if the key is not a stream
-- WRITES  an empty stream; the group, which has read nothing yet; how many entries were deleted before it existed
-- COST    O(1)
-- WHY     allow-oom: a full Redis refuses a plain XGROUP CREATE, and a first consumer could then never drain it.
local reply = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if not reply.err then
  -- Entries that are already deleted do not count as lost by this group (see 'lost').
  local stream = {}
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end
  redis.call('HSET', KEYS[2], 'acknowledged', string.format('%.0f', stream['entries-added'] - stream['length']))
  return 'CREATED'
end
if string.find(reply.err, 'BUSYGROUP', 1, true) then return 'EXISTS' end
return reply
