import Ingest

/// A batch to decide, with the epoch and seq that it is decided against. Neither changes until the decision arrives.
struct DecisionRequest: Sendable {
    enum Entries: Sendable {
        case batch([DecodedEntry])
        /// An entry that may crash the process; it is not decoded yet.
        case poison(StreamEntry)
    }

    var entries: Entries
    var epoch: Epoch
    /// The seq that the counters must have.
    var seq: Int64
    var planning: PlanningContext
}
