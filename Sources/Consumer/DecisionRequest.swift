import Intake

/// A batch that is to be decided, with the state that it is decided by, which cannot change before that has ended.
struct DecisionRequest: Sendable {
    enum Entries: Sendable {
        case batch([DecodedEntry])
        /// One that may crash the process; it is not decoded yet.
        case poison(StreamEntry)
    }

    var entries: Entries
    var epoch: Epoch
    /// That the counters must have.
    var seq: Int64
    var planning: PlanningContext
}
