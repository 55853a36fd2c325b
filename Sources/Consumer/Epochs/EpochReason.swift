import Domain

/// Why a new epoch is needed. This is expected, not a failure: every unexpected state is handled by installing the
/// counters again.
struct EpochReason: Error, Equatable {
    enum Cause: Equatable {
        /// Caused by a connection, a restart or an operator, and never by a batch, however often it happens.
        case outage
        /// The batch could not be recorded as it was decided. The same batch may fail only a limited number of times.
        case batch
        /// Like `batch`, but the ledger's own value for a counter is wrong: the ledger's counters are recounted first.
        case miscount(CounterName)
    }

    /// Whether the messages in memory can be trusted.
    enum Memory: Equatable {
        case trusted
        /// Redis has lost data: an id in memory may now belong to another message, and must not be acknowledged.
        case doubtful
    }

    var cause: Cause
    var memory: Memory
    /// The reason in words, for the log; it is also stored with the epoch.
    var reason: String

    init(_ cause: Cause, _ reason: String, memory: Memory = .trusted) {
        self.cause = cause
        self.reason = reason
        self.memory = memory
    }
}
