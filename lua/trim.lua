#!lua flags=allow-oom
-- trim: drops old entries from the stream of messages, never one that is unread or pending; and old outcomes.
--
-- KEYS    1  …:checkouts   2  …:outcomes
-- ARGV    1  consumer group
--         2  how long an entry is kept, in milliseconds, by its id and Redis' clock
--         3  id below which entries are older than that, whatever their ids say; "" if none is known
--         4  how many entries to keep, approximately
--         5  how many entries may be dropped in one call, approximately
--         6  how many outcomes to keep, approximately; "": all
-- RETURNS {entries dropped because of their age, entries dropped because of their number, outcomes dropped, Redis' time
--         in ms, id of the last delivered entry, id below which everything is acknowledged}
-- ERRORS  NOGROUP or ERR if the stream or the group does not exist, ERR on malformed arguments: nothing was dropped
-- WRITES  both streams
-- COST    O(entries dropped), about 0.2 µs per entry and 0.5 µs per KiB
-- WHY     allow-oom: it frees the memory that makes Redis full. The group's state is read in the same step as the
--         trimming, so nothing can be delivered in between. Redis' clock is used because ids are derived from it: a
--         consumer whose clock is a day ahead would drop everything that a restored ledger needs. A limit per call,
--         because Redis serves no other client while it trims.
local largest = 9007199254740991 -- larger numbers are not exact

local function parse(id)
  local ms, n = string.match(id or '', '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(n)
end
-- Ids are two integers; the first is a time in milliseconds, below 2^53 for 285,000 years.
local function isLower(a, b)
  local ams, an = parse(a)
  local bms, bn = parse(b)
  if ams ~= bms then return ams < bms end
  return an < bn
end
local function lower(a, b) return isLower(a, b) and a or b end

local keep, entries, limit = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
if not keep or not entries or not limit or (ARGV[3] ~= '' and not parse(ARGV[3]))
  or (ARGV[6] ~= '' and not tonumber(ARGV[6])) then
  return redis.error_reply('ERR trim: needs a time, an id or "", two numbers of entries, and one of outcomes or ""')
end

local delivered = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local values = {}
  for i = 1, #group, 2 do values[group[i]] = group[i + 1] end
  if values['name'] == ARGV[1] then delivered = values['last-delivered-id'] end
end
if not delivered then return redis.error_reply('NOGROUP trim: no group ' .. ARGV[1]) end
local acknowledged = delivered
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
if pending[1] > 0 then
  acknowledged = lower(acknowledged, pending[2])
else
  -- Includes the last entry: it may be what fills Redis.
  local ms, n = parse(delivered)
  if ms < largest and n < largest then acknowledged = string.format('%.0f-%.0f', ms, n + 1) end
end

-- Drops whole nodes of the stream first, about 100 entries each, because only this form of XTRIM accepts a limit.
local function drop(bound, most)
  if most < 1 then return 0 end
  return redis.call('XTRIM', KEYS[1], 'MINID', '~', bound, 'LIMIT', string.format('%.0f', most))
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local old = string.format('%.0f-0', math.max(now - keep, 0))
if ARGV[3] ~= '' and isLower(old, ARGV[3]) then old = ARGV[3] end
local bound = lower(lower(delivered, acknowledged), old)
local aged = drop(bound, limit)
-- The rest below the bound is in one node.
if aged < limit / 2 then aged = aged + redis.call('XTRIM', KEYS[1], 'MINID', bound) end
local excess = drop(acknowledged, math.min(redis.call('XLEN', KEYS[1]) - entries, limit - aged))
local outcomes = 0
if ARGV[6] ~= '' then outcomes = redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[6]) end
return {aged, excess, outcomes, string.format('%.0f', now), delivered, acknowledged}
