import Ledger

/// Waits until erased data is overwritten wherever the ledger is stored.
package struct ErasureBarrier: Sendable {
    private let ledger: any LedgerAdmin
    private let lease: any LeaseRegister

    var limit = Duration.seconds(5)
    private static let pollInterval = Duration.milliseconds(50)

    /// - Parameter ledger: open for writing.
    package init(_ ledger: any LedgerAdmin, _ lease: any LeaseRegister) {
        self.ledger = ledger
        self.lease = lease
    }

    /// An active consumer completes the erasure within a second; without one, this process does.
    ///
    /// - Returns: whether the erasure is complete. If not, a process is reading an earlier state of the ledger, and the
    ///   consumer completes the erasure as soon as that read ends.
    package func wait() async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        repeat {
            if try await ledger.isErasureComplete() { return true }
            if await !lease.state().isHeld, let own = try await lease.acquire() {
                defer { withExtendedLifetime(own) {} }
                try await ledger.completeErasure()
            }
            try await Task.sleep(for: Self.pollInterval)
        } while ContinuousClock.now < deadline
        return false
    }
}
