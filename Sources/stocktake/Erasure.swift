import Ledger
import Operations

/// Waits until erased data is gone from the ledger's file and its log.
/// - Returns: what to say of it.
func waitForErasure(_ ledger: any LedgerAdmin, _ settings: Settings) async throws -> String {
    try await ErasureBarrier(ledger, settings.ledger.lease).wait()
        ? "overwritten in the ledger's file and its log"
        : "still in \(ledger.name) or its log: a process reads an earlier state of the ledger. The consumer overwrites it as soon as that ends"
}
