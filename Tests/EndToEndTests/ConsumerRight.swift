import TestSupport

/// What the active consumer does while its user lacks a right. Either way it goes on by itself once the right is there.
enum WithoutRight: Sendable {
    /// It decides nothing more, says why, and waits.
    case waits
    /// The same, but only when it starts.
    case waitsAtStart
    /// It goes on deciding. What it leaves out meanwhile is said in its log, if it matters.
    case goesOn(saying: String? = nil)

    private static let unannounced = goesOn(saying: "could not be announced")
    private static let untrimmed = goesOn(saying: "the stream cannot be trimmed")

    /// By the right as it stands in `config/redis.conf`.
    static let rows: [String: WithoutRight] = [
        // A user may always log in.
        "+auth": .goesOn(), "+ping": .waits, "+select": .waits, "+info": .waitsAtStart,
        // Names a connection; ends a read that waits, which takes two seconds longer without.
        "+client|setname": .goesOn(), "+client|id": .goesOn(), "+client|unblock": .goesOn(),
        "+evalsha": .waits, "+script|load": .waits, "+hmget": .waits, "+hset": .waits, "+hlen": .waits,
        // Comparing counters with the ledger, where fields are there that no product accounts for.
        "+hscan": .goesOn(),
        "+rename": .waits, "+unlink": .waits, "+xgroup|create": .waits, "+xreadgroup": .waits, "+xautoclaim": .waits,
        "+xpending": .waits, "+xack": .waits,
        // Outcomes and changes; dead letters that are published again.
        "+xadd": .goesOn(saying: "redis refuses to announce outcomes"), "+publish": unannounced,
        "&stocktake:{main}:changes": unannounced,
        "+xinfo|groups": untrimmed, "+xlen": untrimmed, "+xtrim": untrimmed, "+time": untrimmed,
        // Consumers of the group that are not in use stay.
        "+xinfo|consumers": .goesOn(), "+xgroup|delconsumer": .goesOn(),
        // What an entry that is too large to be read has is unknown.
        "+memory|usage": .goesOn(),
        // For the operator's page, metrics and other subcommands.
        "+xinfo|stream": .goesOn(), "+xrange": .goesOn(), "+xrevrange": .goesOn(),
        "~stocktake:{main}:*": .waits,
    ]
}
