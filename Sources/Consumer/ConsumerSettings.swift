/// How the consumer works; every limit has its name here.
package struct ConsumerSettings: Sendable {
    /// The name under which entries are delivered to this process.
    package var consumer = "stocktake"
    /// Maximum orders per batch. Random ids are spread over the whole index of orders: the more orders a transaction
    /// has, the fewer pages it writes for each, and the more of them are in memory.
    package var batchOrders = 2_048
    /// Maximum order lines per batch: a gate call over 4,000 blocks Redis for about 8 ms.
    package var batchLines = 4_000
    /// Maximum messages per read, and entries per acknowledgement: half a batch, so that other clients do not wait long
    /// for Redis.
    var slice: Int { max(batchOrders / 2, 1) }
    /// Maximum bytes of messages per batch.
    package var batchBytes = 8 << 20
    /// Maximum bytes of messages that are not decided yet; one read may exceed it.
    package var queueBytes = 16 << 20
    /// How long a read waits for new messages.
    package var block = Duration.seconds(2)
    /// How long processed messages stay in the stream. A restored ledger catches up from them.
    package var messageAge = Duration.seconds(24 * 3600)
    /// About how many messages the stream holds before processed ones are dropped regardless of age.
    package var keepMessages = 1_000_000
    /// About how many outcomes the outcomes stream keeps.
    package var keepOutcomes = 100_000
    /// How many bytes the ledger keeps of a payload that is too large for any message.
    package var deadLetterBytes = 64 << 10
    /// Whether the consumer ends when nothing is unread or pending.
    package var untilIdle = false

    package init() {}

    var batchLimits: BatchQueue.Limits {
        BatchQueue.Limits(orders: batchOrders, lines: batchLines, bytes: batchBytes)
    }

    /// First major version of Redis whose scripts can declare `#!lua`.
    static let oldestServer = 7
    /// Times a poison message may crash the process alone before it becomes a dead letter undecoded.
    static let poisonAttempts = 3
    /// Epochs opened for one batch, for another reason than a lost connection, before the consumer stops.
    static let epochsWithoutProgress = 3
    /// How often, in a row, the counters of a new epoch may be lost between being prepared and being installed.
    static let installLosses = 10
    /// The largest reply to a read. No valid message has more than `Limit.payloadBytes`; what cannot be read within
    /// this is given up by its id (`OversizedEntries`). The reply is in memory twice while it is parsed.
    static let readReplyBytes = 32 << 20
    /// How long after the ledger was read to its end it is read again; and how long after a read that failed.
    static let inspectionInterval = Duration.seconds(3_600)
    static let inspectionRetry = Duration.seconds(60)
    /// The pause after a slice, as a multiple of the time that the slice took: at most a tenth of a processor.
    static let inspectionPause = 9
    /// How long dropping messages continues after a full Redis accepts writes again; otherwise the next messages would
    /// fill it again.
    static let reliefTime = Duration.seconds(10)
    /// About how many messages are dropped first from a full Redis; twice as many each time until it has room.
    static let firstReliefSlice = 128
    /// About how many outcomes stay while Redis is full.
    static let outcomesWhenFull = 10_000
    /// How long an entry may be pending and not in memory before pending entries are claimed. A read's reply in transit
    /// looks the same for a moment.
    static let strayPatience = Duration.seconds(3)
    /// How long work in progress may take after a stop was requested, before the connections are closed.
    static let stopGrace = Duration.seconds(4)
    /// How often the ledger and Redis are compared with their expected state (`Chore.watch`).
    static let watchInterval = Duration.seconds(1)
    /// How often the stream is trimmed.
    static let trimInterval = Duration.seconds(10)
    /// How often a standby tries to take the lease.
    static let standbyInterval = Duration.milliseconds(200)
}
