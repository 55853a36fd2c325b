import Consumer
import Ledger

/// Waits until erased data is gone from the ledger's file and its log.
package struct ErasureBarrier: Sendable {
    private let ledger: LedgerDatabase

    private static let limit = Duration.seconds(5)
    private static let pollInterval = Duration.milliseconds(50)

    /// - Parameter ledger: open for writing.
    package init(_ ledger: LedgerDatabase) { self.ledger = ledger }

    /// An active consumer checkpoints the log within a second; without one it is done here.
    ///
    /// - Returns: whether it is gone. False: a process reads an earlier state of the ledger, and the consumer
    ///   checkpoints as soon as that ends.
    package func wait() async throws -> Bool {
        let deadline = ContinuousClock.now + Self.limit
        let path = ProcessLock.path(besideLedger: ledger.path)
        repeat {
            if try await !ledger.isCheckpointWanted() { return true }
            if !ProcessLock.isHeld(path), let lock = try ProcessLock.acquire(path) {
                defer { withExtendedLifetime(lock) {} }
                try await ledger.checkpointIfWanted()
            }
            try await Task.sleep(for: Self.pollInterval)
        } while ContinuousClock.now < deadline
        return false
    }
}
