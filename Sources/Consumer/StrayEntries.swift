import Domain

/// Finds stray entries: pending, but not in this process' memory. Redis delivered them to a connection that was dead,
/// or to another client that reads in the group. Once everything in memory has passed them, they are the lowest pending
/// ones. Does no I/O.
struct StrayEntries {
    private var candidate: (id: StreamID, since: ContinuousClock.Instant)?

    /// - Parameters:
    ///   - pending: the lowest pending entry.
    ///   - memory: the lowest entry in memory.
    /// - Returns: whether pending entries must be claimed: the same entry has been a stray for some time.
    mutating func look(
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
