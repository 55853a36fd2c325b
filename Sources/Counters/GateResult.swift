import Domain

/// The gate's result for a batch.
package enum GateResult: Sendable, Equatable {
    /// One decision per command, in order; `seq` is the counters' seq afterwards.
    case decided(seq: Int64, [Decision])
    /// Redis is not in the state that the batch was planned for; nothing was changed.
    case fenced(what: String, found: CounterHead)
}
