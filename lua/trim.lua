#!lua
-- trim: drops old entries from the stream of messages, never one that is unread or pending.
--
-- KEYS    1  …:checkouts
-- ARGV    1  consumer group
--         2  id: entries at or above it are kept
-- RETURNS entries dropped
-- ERRORS  NOGROUP or ERR when stream or group are gone: nothing was dropped
-- WRITES  the stream
-- COST    O(entries dropped)
-- WHY     The group's own state is read in the same step as the trimming: nothing can be delivered in between.
local function parse(id)
  local ms, n = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(n)
end
-- Ids are two integers; the first is a time in milliseconds, below 2^53 for 285,000 years.
local function lower(a, b)
  local ams, an = parse(a)
  local bms, bn = parse(b)
  if ams ~= bms then return ams < bms and a or b end
  return an < bn and a or b
end

local bound = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local values = {}
  for i = 1, #group, 2 do values[group[i]] = group[i + 1] end
  if values['name'] == ARGV[1] then bound = values['last-delivered-id'] end
end
if not bound then return redis.error_reply('NOGROUP trim: no group ' .. ARGV[1]) end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
if pending[1] > 0 then bound = lower(bound, pending[2]) end
return redis.call('XTRIM', KEYS[1], 'MINID', lower(bound, ARGV[2]))
