/// The consumer's settings. The consumer's limits are named here.
package struct ConsumerSettings: Sendable {
    /// The name under which entries are delivered to this process.
    package var consumer = "stocktake"
    /// The maximum number of orders per batch. Random ids are spread over the whole index of orders: the more orders a
    /// transaction has, the fewer pages it writes per order, but the more orders are in memory.
    package var batchOrders = 2_048
    /// The maximum number of order lines per batch: a gate call with 4,000 lines blocks Redis for about 8 ms.
    package var batchLines = 4_000
    /// The maximum number of messages per read, and of entries per acknowledgement: half a batch, so that other clients
    /// do not wait long for Redis.
    var slice: Int { max(batchOrders / 2, 1) }
    /// The maximum size of a batch's messages, in bytes.
    package var batchBytes = 8 << 20
    /// The maximum size of the messages that are not decided yet, in bytes; one read may exceed it.
    package var queueBytes = 16 << 20
    /// How long a read blocks while there are no new messages.
    package var block = Duration.seconds(2)
    /// How long processed messages stay in the stream. A restored ledger catches up from them.
    package var messageAge = Duration.seconds(24 * 3600)
    /// The approximate number of messages that the stream holds before processed messages are dropped regardless of
    /// age.
    package var keepMessages = 1_000_000
    /// The approximate number of outcomes that the outcomes stream keeps.
    package var keepOutcomes = 100_000
    /// How many bytes the ledger keeps of a payload that exceeds the limit for messages.
    package var deadLetterBytes = 64 << 10
    /// Whether the consumer ends when no message is unread or pending.
    package var untilIdle = false

    package init() {}

    var batchLimits: BatchQueue.Limits {
        BatchQueue.Limits(orders: batchOrders, lines: batchLines, bytes: batchBytes)
    }

    /// The first major version of Redis whose scripts can declare `#!lua`.
    static let oldestServer = 7
    /// How many times a poison message may crash the process while it is processed alone, before it becomes a dead
    /// letter without being decoded.
    static let poisonAttempts = 3
    /// How many epochs are opened for one batch, for reasons other than a lost connection, before the consumer stops.
    static let epochsWithoutProgress = 3
    /// How many times in a row the counters of a new epoch may be lost after they are prepared and before they are
    /// installed.
    static let installLosses = 10
    /// The maximum size of a reply to a read, in bytes. No valid message exceeds `Limit.payloadBytes`; an entry that
    /// cannot be read within this limit is given up by its id (`OversizedEntries`). The reply is in memory twice while
    /// it is parsed.
    static let readReplyBytes = 32 << 20
    /// How long after a complete check of the ledger for damage the next one starts, and how long after a failed one.
    static let inspectionInterval = Duration.seconds(3_600)
    static let inspectionRetry = Duration.seconds(60)
    /// The pause after checking a slice, as a multiple of the time that the slice took: a check uses at most a tenth of
    /// a processor.
    static let inspectionPause = 9
    /// How long messages are dropped after a full Redis accepts writes again; otherwise the next messages would fill it
    /// again.
    static let reliefTime = Duration.seconds(10)
    /// The approximate number of messages in the first slice dropped from a full Redis. Each further slice is twice as
    /// large, until Redis has room.
    static let firstReliefSlice = 128
    /// The approximate number of outcomes kept while Redis is full.
    static let outcomesWhenFull = 10_000
    /// How long an entry may be pending but not in memory before pending entries are claimed. An entry in a reply in
    /// transit looks the same for a moment.
    static let strayPatience = Duration.seconds(3)
    /// How long work in progress may take after a stop was requested, before the connections are closed.
    static let stopGrace = Duration.seconds(4)
    /// How often the ledger and Redis are compared with their expected states (`Chore.watch`).
    static let watchInterval = Duration.seconds(1)
    /// How often the streams are trimmed.
    static let trimInterval = Duration.seconds(10)
    /// How often a standby tries to acquire the lease.
    static let standbyInterval = Duration.milliseconds(200)
}
