#!lua flags=no-writes
-- snapshot: returns the state of the counters at one moment.
--
-- KEYS    1  …:stock
-- ARGV    1 …  names of counters, "p:ID" or "v:ID"; at most 1,000
-- RETURNS {identity, epoch, seq, settled, recorded, catalogue, announced, number of fields, values}, "" if a field is
--         missing; values: sold, cap, closed of each counter in turn, nil if a field is missing
-- ERRORS  WRONGTYPE if the key is not a hash; ERR with more than 1,000 counters
-- WRITES  nothing
-- COST    O(counters), 4 to 5 µs each
-- WHY     A script reads the counters and the (epoch, seq) that identifies their state in one atomic step.
if #ARGV > 1000 then return redis.error_reply('ERR snapshot: at most 1,000 counters a call') end
local head = redis.call('HMGET', KEYS[1], 'ledger', 'epoch', 'seq', 'settled', 'recorded', 'catalogue', 'announced')
local reply = {}
for i = 1, 7 do reply[i] = head[i] or '' end
reply[8] = redis.call('HLEN', KEYS[1])
reply[9] = {}
if #ARGV > 0 then
  local fields = {}
  for i = 1, #ARGV do
    fields[#fields + 1] = 'sold:' .. ARGV[i]
    fields[#fields + 1] = 'cap:' .. ARGV[i]
    fields[#fields + 1] = 'closed:' .. ARGV[i]
  end
  reply[9] = redis.call('HMGET', KEYS[1], unpack(fields))
end
return reply
