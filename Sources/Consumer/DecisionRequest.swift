import Ingest

/// A batch to decide, and the epoch and seq it is decided against; neither changes until the decision is in.
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
