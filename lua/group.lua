#!lua flags=allow-oom
-- group: creates the consumer group on the stream of messages, and the stream, if they are missing.
--
-- KEYS    1  …:checkouts   2  …:intake
-- ARGV    1  consumer group
-- RETURNS CREATED, or EXISTS: it was there, and stays as it is
-- ERRORS  WRONGTYPE when the key is no stream
-- WRITES  an empty stream; the group, which has read nothing yet; how many entries were gone before it existed
-- COST    O(1)
-- WHY     allow-oom: a full Redis refuses a plain XGROUP CREATE, and could then never be emptied by a first consumer.
local reply = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if not reply.err then
  -- Entries that are already gone are no loss of this group ('lost').
  local stream = {}
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end
  redis.call('HSET', KEYS[2], 'acknowledged', string.format('%.0f', stream['entries-added'] - stream['length']))
  return 'CREATED'
end
if string.find(reply.err, 'BUSYGROUP', 1, true) then return 'EXISTS' end
return reply
