#!lua flags=allow-oom
-- trim: drops old entries from the stream of messages, never one that is unread or pending; and old outcomes.
--
-- KEYS    1  …:checkouts   2  …:outcomes
-- ARGV    1  consumer group
--         2  milliseconds that an entry stays, by its id and Redis' clock
--         3  id below which entries are older than that, whatever their ids say; "" where none is known
--         4  entries that stay, about; 0: none but those that are unread or pending
--         5  outcomes that stay, about; "": all
-- RETURNS {entries dropped, outcomes dropped, Redis' time in ms, id that was delivered last, id below which nothing is
--         left (more is gone where the number decided)}
-- ERRORS  NOGROUP or ERR when stream or group are gone, ERR on malformed arguments: nothing was dropped
-- WRITES  both streams
-- COST    O(entries dropped)
-- WHY     allow-oom: it frees what Redis is full of. The group's own state is read in the same step as the trimming:
--         nothing can be delivered in between. Redis' clock, as it is what the ids are made of: a consumer whose clock
--         is a day ahead would drop all that a restored ledger needs.
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

local keep, entries = tonumber(ARGV[2]), tonumber(ARGV[4])
if not keep or not entries or (ARGV[3] ~= '' and not parse(ARGV[3])) or (ARGV[5] ~= '' and not tonumber(ARGV[5])) then
  return redis.error_reply('ERR trim: needs a time, an id or nothing, a number of entries, and one of outcomes or nothing')
end

local delivered = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local values = {}
  for i = 1, #group, 2 do values[group[i]] = group[i + 1] end
  if values['name'] == ARGV[1] then delivered = values['last-delivered-id'] end
end
if not delivered then return redis.error_reply('NOGROUP trim: no group ' .. ARGV[1]) end
-- Entries below it are acknowledged.
local settled = delivered
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
if pending[1] > 0 then
  settled = lower(settled, pending[2])
elseif entries == 0 then
  -- The last one as well: it may be what fills Redis.
  local ms, n = parse(delivered)
  settled = n < 9007199254740991 and string.format('%.0f-%.0f', ms, n + 1) or string.format('%.0f-0', ms + 1)
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local old = string.format('%.0f-0', math.max(now - keep, 0))
if ARGV[3] ~= '' and isLower(old, ARGV[3]) then old = ARGV[3] end
local bound = entries == 0 and settled or lower(settled, old)
local dropped = redis.call('XTRIM', KEYS[1], 'MINID', bound)
local excess = redis.call('XLEN', KEYS[1]) - entries
if entries > 0 and excess > 0 then
  -- Whole nodes of the stream, some 100 entries each, until about so many are left.
  local more = redis.call('XTRIM', KEYS[1], 'MINID', '~', settled, 'LIMIT', string.format('%.0f', excess))
  dropped = dropped + more
end
local outcomes = 0
if ARGV[5] ~= '' then outcomes = redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[5]) end
return {dropped, outcomes, string.format('%.0f', now), delivered, bound}
