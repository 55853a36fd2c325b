import Domain

/// The result of a check of the whole ledger.
package struct LedgerCheck: Sendable, Equatable {
    /// The first problems that the backend's own integrity check reports; empty if there are none.
    package var integrity: [String] = []
    /// The number of rows that refer to missing rows.
    package var danglingReferences = 0
    package var miscounts: [Miscount] = []
    /// The number of recorded commands of each kind.
    package var commands: [Command.Kind: Int] = [:]
    package var deadLetters = 0
    /// The number of catalogue versions.
    package var catalogueChanges = 0
    package var head = LedgerHead(epoch: 0, seq: 0, position: 0, catalogueVersion: 0)

    /// The number of rows that were recorded (`LedgerHead.position`) but are missing, or whose details are missing.
    package var missingRecords: Int64 = 0
    /// The number of counter changes whose seq does not continue the sequence.
    package var missingChanges: Int64 = 0
    /// The number of refused orders that are missing or not marked as refused.
    package var missingRefusals: Int64 = 0
    /// The dead letters' recorded size in bytes minus their actual size; negative if there are more bytes than
    /// recorded.
    package var missingDeadLetterBytes: Int64 = 0

    /// The number of refunds that are due but not listed, or listed but not due, plus the number of wrong refund sums.
    package var refundFaults = 0

    package init() {}

    package var orders: Int { commands[.placeOrder] ?? 0 }

    package var isSound: Bool {
        integrity.isEmpty && danglingReferences == 0 && miscounts.isEmpty && missingRecords == 0 && missingChanges == 0
            && missingRefusals == 0
            && missingDeadLetterBytes == 0 && refundFaults == 0
    }
}
