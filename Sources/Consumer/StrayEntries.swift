import Inventory

/// Finds entries that are pending while no memory holds them: Redis gave them to a connection that was dead, or to
/// somebody else who reads in the group. They are the lowest ones that are pending once what is in memory has passed
/// them. Does no I/O.
struct StrayEntries {
    private var candidate: (id: EntryPosition, since: ContinuousClock.Instant)?

    /// - Parameters:
    ///   - pending: the lowest pending entry.
    ///   - memory: the lowest entry in memory.
    /// - Returns: whether pending entries must be claimed: the same one was a stray for some time.
    mutating func look(
        pending: EntryPosition?, memory: EntryPosition?, at now: ContinuousClock.Instant
    ) -> Bool {
        guard let pending, memory.map({ pending < $0 }) ?? true else {
            candidate = nil
            return false
        }
        guard let candidate, candidate.id == pending else {
            candidate = (pending, now)
            return false
        }
        if now - candidate.since < ConsumerSettings.strayPatience { return false }
        self.candidate = nil
        return true
    }
}
