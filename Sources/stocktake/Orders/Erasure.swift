import Ledger
import Operations

/// Waits until erased data is overwritten wherever the ledger is stored.
/// - Returns: the result, as text for the operator.
func waitForErasure(_ ledger: any LedgerAdmin, _ settings: Settings) async throws -> String {
    try await ErasureBarrier(ledger, settings.ledger.lease).wait()
        ? "overwritten in \(settings.ledger.storage)"
        : "still in \(settings.ledger.storage), \(ledger.name): a process is reading an earlier state of the ledger. The consumer overwrites the data as soon as that read ends"
}
