import Ledger
import Operations

/// Waits until erased data is gone from wherever the ledger is stored.
/// - Returns: what to say of it.
func waitForErasure(_ ledger: any LedgerAdmin, _ settings: Settings) async throws -> String {
    try await ErasureBarrier(ledger, settings.ledger.lease).wait()
        ? "overwritten in \(settings.ledger.storage)"
        : "still in \(settings.ledger.storage), \(ledger.name): a process reads an earlier state of the ledger. The consumer overwrites it as soon as that ends"
}
