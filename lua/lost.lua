#!lua flags=allow-oom
-- lost: counts the messages that were removed from the stream without having been processed.
--
-- KEYS    1  …:checkouts   2  …:intake
-- ARGV    1  consumer group
-- RETURNS {lost since the last call, lost so far, Redis' time in ms when the last loss was found, or ""}
-- ERRORS  ERR if there is no stream, NOGROUP if it does not have this group: nothing was written
-- WRITES  acknowledged, lost, lost_at of the hash
-- COST    O(bytes of the first and the last entry)
-- WHY     Every entry that was ever added is acknowledged, pending, unread, or lost. If nothing is unread, the lost
--         entries are those that are neither acknowledged nor pending. Redis' own lag cannot be used: it is nil or
--         wrong after entries were deleted. More entries acknowledged than added means that the group was reset and has
--         read entries again: counting restarts from there, as it does if no count was stored.
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local group = nil
for _, found in ipairs(groups) do
  local values = {}
  for i = 1, #found, 2 do values[found[i]] = found[i + 1] end
  if values['name'] == ARGV[1] then group = values end
end
if not group then return redis.error_reply('NOGROUP lost: no group ' .. ARGV[1]) end
local stream = {}
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end

local kept = redis.call('HMGET', KEYS[2], 'acknowledged', 'lost', 'lost_at')
local acknowledged, total, at = tonumber(kept[1] or ''), tonumber(kept[2] or '') or 0, kept[3] or ''
local function isAbove(a, b)
  local ams, an = string.match(a, '^(%d+)-(%d+)$')
  local bms, bn = string.match(b, '^(%d+)-(%d+)$')
  if ams ~= bms then return tonumber(ams) > tonumber(bms) end
  return tonumber(an) > tonumber(bn)
end
local last = stream['last-entry']
local isUnread = last and isAbove(last[1], group['last-delivered-id'])
local lost = 0
if not isUnread then
  local processed = stream['entries-added'] - group['pending']
  if acknowledged then lost = math.max(processed - acknowledged, 0) end
  if acknowledged ~= processed then
    redis.call('HSET', KEYS[2], 'acknowledged', string.format('%.0f', processed))
  end
  if lost > 0 then
    local time = redis.call('TIME')
    total, at = total + lost, string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
    redis.call('HSET', KEYS[2], 'lost', string.format('%.0f', total), 'lost_at', at)
  end
end
return {lost, total, at}
