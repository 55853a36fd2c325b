#!lua flags=allow-oom
-- tidy: removes consumers of the group that have nothing pending.
--
-- KEYS    1  …:checkouts
-- ARGV    1  consumer group
--         2  the consumer to keep in any case
-- RETURNS how many were removed
-- ERRORS  NOGROUP or ERR if the stream or the group does not exist: nothing was removed
-- WRITES  the group's list of consumers
-- COST    O(consumers)
-- WHY     Each host name becomes a consumer (with containers, one more on each start), and Redis never removes any. A
--         removed consumer is created again when it reads; removing a consumer with pending entries would also remove
--         those from the pending list. So the check and the removal are one step.
local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local values = {}
  for i = 1, #consumer, 2 do values[consumer[i]] = consumer[i + 1] end
  if values['pending'] == 0 and values['name'] ~= ARGV[2] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], values['name'])
    removed = removed + 1
  end
end
return removed
