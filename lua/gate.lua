#!lua flags=allow-oom
-- gate: decides a batch of commands against the counters, in one atomic step.
--
-- KEYS    1  …:stock
-- ARGV    1  identity of the ledger
--         2  epoch
--         3  seq that the counters must have (that of the last decided batch)
--         4  N, how many counters the batch touches
--         5 … 4+N   their names, "p:ID" or "v:ID"
--         5+N  the commands, packed (MessagePack): one array of numbers, for each command its kind, k, and k movements:
--            number of the counter (1 … N), units (summed over the message's lines) to add to the sold units
--            kind 0: takes all of its units, which are above 0, or none, depending on the caps; 1: a fact, which
--            ignores the caps; its units may be below 0
-- RETURNS {"DECIDED", seq now, decisions}: one list of integers, for each command
--            its seq: it changed the counters
--            0: it changed nothing
--            three, -c, units asked, units left: refused; c is the number of the first counter that has too few
--         {"FENCED", what differs, identity, epoch, seq} (as found): nothing was changed
-- ERRORS  WRONGTYPE if the key is not a hash; ERR on malformed arguments; both before anything is written
-- WRITES  sold:… of every counter that changed, and seq, in the hash, after every check
-- COST    O(counters + movements); about 2 µs per one-line order (5 µs when every number was a separate argument)
-- WHY     One writer and an exact chain of (epoch, seq): a call that arrives late, twice, or after Redis has lost data
--         finds a different state from the expected one, and does nothing. allow-oom: a full Redis must be able to
--         process the backlog that fills it, and the fields to write already exist.
local stock = KEYS[1]
local slice = 4000 -- fields a call: unpack fails near 8,000

local found = redis.call('HMGET', stock, 'ledger', 'epoch', 'seq')
local function fenced(what)
  return {'FENCED', what, found[1] or '', found[2] or '', found[3] or ''}
end
if found[1] ~= ARGV[1] then return fenced('ledger') end
if found[2] ~= ARGV[2] then return fenced('epoch') end
if found[3] ~= ARGV[3] then return fenced('seq') end

-- Parses an integer in the format that we write (tonumber would also accept " 0x10" and "1e3"), small enough to be
-- exact.
local function integer(text)
  if not text or not string.find(text, '^-?%d+$') then return nil end
  local number = tonumber(text)
  if number >= 9007199254740992 or number <= -9007199254740992 then return nil end
  return number
end

local seq = integer(ARGV[3])
local count = integer(ARGV[4])
if not seq or not count then return redis.error_reply('ERR gate: seq and the number of counters must be integers') end
if count < 0 or #ARGV ~= 5 + count then
  return redis.error_reply('ERR gate: the number of counters must be followed by exactly their names and the commands')
end

-- Read the sold units and the caps.
local sold, cap, changed = {}, {}, {}
for first = 1, count, slice / 2 do
  local last = math.min(first + slice / 2 - 1, count)
  local fields = {}
  for i = first, last do
    fields[#fields + 1] = 'sold:' .. ARGV[4 + i]
    fields[#fields + 1] = 'cap:' .. ARGV[4 + i]
  end
  local values = redis.call('HMGET', stock, unpack(fields))
  for i = first, last do
    local at = 2 * (i - first) + 1
    sold[i] = integer(values[at] or '')
    -- Only a manual write can leave a value below 0.
    if not sold[i] or sold[i] < 0 then return fenced('sold:' .. ARGV[4 + i]) end
    -- A missing cap means unlimited, up to the largest exact integer.
    cap[i] = 9007199254740991
    if values[at + 1] then
      cap[i] = integer(values[at + 1])
      if not cap[i] then return fenced('cap:' .. ARGV[4 + i]) end
    end
  end
end

local function onlyTable(isUnpacked, value, ...)
  if isUnpacked and type(value) == 'table' and select('#', ...) == 0 then return value end
end
local commands = onlyTable(pcall(cmsgpack.unpack, ARGV[5 + count]))
if not commands then return redis.error_reply('ERR gate: the commands must be one packed array') end

local function isWhole(number, least)
  return type(number) == 'number' and number >= least and number < 9007199254740992 and number % 1 == 0
end

-- Returns the counter and the units of the movement at an index, or nothing.
local function movement(i, least)
  local c, units = commands[i], commands[i + 1]
  if isWhole(units, least) and units ~= 0 and sold[c] then return c, units end
end

-- Decide, in stream order.
local decisions = {}
local capped, fact = 0, 1
local at = 1
while commands[at] do
  local kind, movements = commands[at], commands[at + 1]
  if (kind ~= capped and kind ~= fact) or not isWhole(movements, 0) then
    return redis.error_reply('ERR gate: number ' .. at .. ' does not start a command')
  end
  local first, last = at + 2, at + 2 * movements
  local least = kind == capped and 1 or -9007199254740991
  local decision = nil
  if kind == capped then
    for i = first, last, 2 do
      local c, units = movement(i, least)
      if not c then return redis.error_reply('ERR gate: bad movement at number ' .. i) end
      if sold[c] + units > cap[c] then
        decision = -c
        decisions[#decisions + 1] = decision
        decisions[#decisions + 1] = units
        decisions[#decisions + 1] = math.max(cap[c] - sold[c], 0)
        break
      end
    end
  end
  if not decision then
    for i = first, last, 2 do
      local c, units = movement(i, least)
      if not c then return redis.error_reply('ERR gate: bad movement at number ' .. i) end
      sold[c] = sold[c] + units
      changed[c] = true
    end
    if movements > 0 then
      seq = seq + 1
      decision = seq
    else
      decision = 0
    end
    decisions[#decisions + 1] = decision
  end
  at = last + 2
end

if at ~= #commands + 1 then return redis.error_reply('ERR gate: the commands have a hole at number ' .. at) end

-- Write the changes.
local fields = {'seq', string.format('%.0f', seq)}
for c in pairs(changed) do
  fields[#fields + 1] = 'sold:' .. ARGV[4 + c]
  fields[#fields + 1] = string.format('%.0f', sold[c])
  if #fields >= slice then
    redis.call('HSET', stock, unpack(fields))
    fields = {}
  end
end
if #fields > 0 then redis.call('HSET', stock, unpack(fields)) end
return {'DECIDED', string.format('%.0f', seq), decisions}
