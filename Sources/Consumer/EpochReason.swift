import Domain

/// Why a new epoch is needed. Expected: installing the counters again is the answer to every unexpected state.
struct EpochReason: Error, Equatable {
    enum Cause: Equatable {
        /// Connections, restarts, operators: nothing that a batch has done, however often it happens.
        case outage
        /// The batch could not be recorded as it was decided; the same batch may fail only so often.
        case batch
        /// Like `batch`, because the ledger's own figure for a counter is wrong: the figures are counted again first.
        case miscount(CounterName)
    }

    /// What is known about the messages in memory.
    enum Memory: Equatable {
        case trusted
        /// Redis has lost something: an id in memory may be another message's by now, and must not be acknowledged.
        case doubtful
    }

    var cause: Cause
    var memory: Memory
    /// For the log, and kept with the epoch.
    var reason: String

    init(_ cause: Cause, _ reason: String, memory: Memory = .trusted) {
        self.cause = cause
        self.reason = reason
        self.memory = memory
    }
}
