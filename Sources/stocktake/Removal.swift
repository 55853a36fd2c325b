import Consumer
import Ledger

/// Waits until what was removed is gone from the ledger's file and its log: an active consumer brings the log into the
/// file within a second, without one it is done here.
/// - Returns: what is to be said of it.
func finishRemoval(_ ledger: LedgerDatabase, _ settings: Settings) async throws -> String {
    let deadline = ContinuousClock.now + .seconds(5)
    let path = ProcessLock.path(besideLedger: settings.ledger)
    repeat {
        if try await !ledger.isCheckpointWanted() { return "overwritten in the ledger's file and its log" }
        if !ProcessLock.isHeld(path), let lock = try ProcessLock.acquire(path) {
            defer { withExtendedLifetime(lock) {} }
            try await ledger.checkpointIfWanted()
        }
        try await Task.sleep(for: .milliseconds(50))
    } while ContinuousClock.now < deadline
    return
        "still in \(settings.ledger) or its log: somebody reads an earlier state of the ledger. The consumer overwrites it as soon as that ends"
}
