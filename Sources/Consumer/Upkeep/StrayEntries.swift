import Domain

/// Finds stray entries, which are pending but not in this process's memory: Redis delivered them to a dead connection,
/// or to another client that reads in the group. Once all entries in memory have advanced past them, they are the
/// lowest pending entries. Does no I/O.
struct StrayEntries {
    private var candidate: (id: StreamID, since: ContinuousClock.Instant)?

    /// - Parameters:
    ///   - pending: the lowest pending entry.
    ///   - memory: the lowest entry in memory.
    /// - Returns: whether pending entries must be claimed, because the same entry has been stray for some time.
    mutating func check(
        pending: StreamID?, memory: StreamID?, at now: ContinuousClock.Instant
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
