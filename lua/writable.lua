#!lua
-- writable: whether Redis accepts writes.
--
-- KEYS    1  …:stock; it is not read, but determines the slot
-- RETURNS OK
-- ERRORS  whatever Redis answers to a write now: OOM when it is full, READONLY, MISCONF, NOREPLICAS
-- WRITES  nothing
-- COST    O(1)
-- WHY     A script without flags counts as one that writes, and is refused before it starts. The figures of INFO memory
--         would be a guess: Redis does not count buffers when it compares them with maxmemory.
return 'OK'
