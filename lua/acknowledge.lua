#!lua flags=allow-oom
-- acknowledge: acknowledges the messages that the ledger has committed, and announces the next rows of its journal.
-- Safe to repeat.
--
-- KEYS    1  …:stock   2  …:checkouts   3  …:outcomes   4  …:intake
-- ARGV    1  identity of the ledger
--         2  epoch
--         3  highest seq the ledger has recorded
--         4  how many messages it has recorded (orders, cancellations, adjustments, refunds, dead letters)
--         5  consumer group
--         6  how many outcomes to keep, approximately
--         7  channel of the changes
--         8  position in the journal up to which everything must already be announced; "": nothing is announced
--         9  position up to which everything is announced afterwards
--         10 A, how many entries to acknowledge; then their ids
--         next  F, how many fields an outcome has; then their names, of which the second is the position
--         next  the rows to announce, ordered by position: a MessagePack array of F values each
--         next  the outcomes to announce again: another array in this format
--         next  C, how many products changed; then their ids
-- RETURNS {entries acknowledged, position up to which everything is announced or "" if that is unknown, the error with
--         which Redis refused to announce a row or "", outcomes that could not be announced again, changes that could
--         not be published}
--         {"FENCED"}: the counters belong to another ledger or another epoch, or have lost a recorded seq: nothing was
--         done
-- ERRORS  never NOGROUP: acknowledging in a deleted group acknowledges nothing; WRONGTYPE for keys 1 and 2, before
--         anything is written
-- WRITES  settled, recorded and announced in the counters; the group's pending list, and how many entries were ever
--         acknowledged (see 'lost'); the stream of outcomes
-- COST    O(entries + outcomes)
-- WHY     allow-oom: acknowledging must still work when Redis is out of memory. Order: the writes that the protocol
--         depends on come first; those that only subscribers read come last, and a list that Redis refuses does not
--         stop the next list. Fenced: a late call, after an older ledger was restored, would acknowledge messages that
--         this ledger never recorded; a call after Redis has lost its tail would acknowledge a different message with
--         the same id. Announced by position: rows follow each other without a gap and none appears twice, even if a
--         call is repeated, late or refused in the middle.
local stock, checkouts, outcomes = KEYS[1], KEYS[2], KEYS[3]
local slice = 4000

local found = redis.call('HMGET', stock, 'ledger', 'epoch', 'settled', 'recorded', 'seq', 'announced')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return {'FENCED'} end
-- Within an epoch the counters are never behind the ledger, unless Redis has lost data.
if (tonumber(found[5] or '') or -1) < tonumber(ARGV[3]) then return {'FENCED'} end

-- This comes first because it fails before anything is written if the key has a different type.
local at = 10
local entries = tonumber(ARGV[at])
local acknowledged = 0
for first = at + 1, at + entries, slice do
  local last = math.min(first + slice - 1, at + entries)
  acknowledged = acknowledged + redis.call('XACK', checkouts, ARGV[5], unpack(ARGV, first, last))
end
if (tonumber(found[3] or '') or -1) < tonumber(ARGV[3]) then redis.call('HSET', stock, 'settled', ARGV[3]) end
if (tonumber(found[4] or '') or -1) < tonumber(ARGV[4]) then redis.call('HSET', stock, 'recorded', ARGV[4]) end
if acknowledged > 0 then
  -- If the field does not exist yet, 'lost' creates it.
  local before = tonumber(redis.pcall('HMGET', KEYS[4], 'acknowledged')[1] or '')
  if before then redis.call('HSET', KEYS[4], 'acknowledged', string.format('%.0f', before + acknowledged)) end
end
at = at + entries + 1

local width = tonumber(ARGV[at])
-- Only the last outcome of each list trims the stream, with LIMIT 0, because one trim may have to drop any number:
-- trimming with each outcome would cost a tenth more.
local plain, trimming = {'XADD', outcomes, '*'}, {'XADD', outcomes, 'MAXLEN', '~', ARGV[6], 'LIMIT', '0', '*'}
for i = 1, width do
  plain[2 + 2 * i], trimming[7 + 2 * i] = ARGV[at + i], ARGV[at + i]
end
at = at + width + 1

-- Announces outcomes until Redis refuses one. Returns how many of the values are announced, and the error with which
-- Redis refused the next outcome, or nil. All names are local to the function: its loop is the costliest of all
-- scripts.
local function announce(values)
  local add, unpack, type, width, last = redis.pcall, unpack, type, width, #values - width
  local entry, before = plain, 3
  for first = 0, last, width do
    if first == last then entry, before = trimming, 8 end
    for i = 1, width do entry[before + 2 * i] = values[first + i] end
    local reply = add(unpack(entry))
    if type(reply) == 'table' and reply.err then return first, reply.err end
  end
  return #values
end

local announced = tonumber(found[6] or '') and found[6] or ''
local refusal
if ARGV[8] ~= '' and announced == ARGV[8] then
  local rows = cmsgpack.unpack(ARGV[at])
  local done
  done, refusal = announce(rows)
  local reached = ARGV[9]
  if refusal then reached = done == 0 and announced or rows[done - width + 2] end
  if reached ~= announced then redis.call('HSET', stock, 'announced', reached) end
  announced = reached
end

local repeated = cmsgpack.unpack(ARGV[at + 1])
local unrepeated = (#repeated - announce(repeated)) / width
at = at + 2

local unpublished = 0
for i = at + 1, at + tonumber(ARGV[at]) do
  local reply = redis.pcall('PUBLISH', ARGV[7], ARGV[i])
  if type(reply) == 'table' and reply.err then unpublished = unpublished + 1 end
end
return {acknowledged, announced, refusal or '', unrepeated, unpublished}
