import TestSupport

/// How the active consumer behaves while its user lacks a right. It always recovers once the right is granted.
enum WithoutRight: Sendable {
    /// It decides nothing more, logs the reason, and waits.
    case waits
    /// The same, but only when it starts.
    case waitsAtStart
    /// It continues to decide. What it skips in the meantime is logged if it matters.
    case goesOn(saying: String? = nil)

    private static let unannounced = goesOn(saying: "could not be announced")
    private static let untrimmed = goesOn(saying: "the stream cannot be trimmed")

    /// Keyed by the right as written in `config/redis.conf`.
    static let rows: [String: WithoutRight] = [
        // A user may always authenticate.
        "+auth": .goesOn(), "+ping": .waits, "+select": .waits, "+info": .waitsAtStart,
        // Naming a connection; unblocking a blocked read, which takes two seconds longer without this right.
        "+client|setname": .goesOn(), "+client|id": .goesOn(), "+client|unblock": .goesOn(),
        "+evalsha": .waits, "+script|load": .waits, "+hmget": .waits, "+hset": .waits, "+hlen": .waits,
        // Comparing counters with the ledger when fields exist that belong to no product.
        "+hscan": .goesOn(),
        "+rename": .waits, "+unlink": .waits, "+xgroup|create": .waits, "+xreadgroup": .waits, "+xautoclaim": .waits,
        "+xpending": .waits, "+xack": .waits,
        // Outcomes and changes; dead letters that are republished.
        "+xadd": .goesOn(saying: "redis refuses to announce outcomes"), "+publish": unannounced,
        "&stocktake:{main}:changes": unannounced,
        "+xinfo|groups": untrimmed, "+xlen": untrimmed, "+xtrim": untrimmed, "+time": untrimmed,
        // Without it, unused consumers of the group remain.
        "+xinfo|consumers": .goesOn(), "+xgroup|delconsumer": .goesOn(),
        // Without it, the size of an entry that is too large to be read is unknown.
        "+memory|usage": .goesOn(),
        // For the operator's page, metrics and other subcommands.
        "+xinfo|stream": .goesOn(), "+xrange": .goesOn(), "+xrevrange": .goesOn(),
        "~stocktake:{main}:*": .waits,
    ]
}
