import Domain

/// A quantity that differs from the sum of what is recorded.
package struct Miscount: Sendable, Equatable {
    package enum Column: String, Sendable {
        case sold = "sold_quantity"
        case adjusted = "adjusted_quantity"
    }

    package var counter: CounterName
    package var column: Column
    /// The quantity in the product's or variant's row.
    package var recorded: Int64
    /// The sum of its orders, cancellations and adjustments.
    package var counted: Int64

    package init(counter: CounterName, column: Column, recorded: Int64, counted: Int64) {
        self.counter = counter
        self.column = column
        self.recorded = recorded
        self.counted = counted
    }
}

/// What a check of the whole ledger found.
package struct LedgerCheck: Sendable, Equatable {
    /// What the backend itself finds wrong with what it stores, the first lines; empty if sound.
    package var integrity: [String] = []
    /// Rows that refer to missing rows.
    package var danglingReferences = 0
    package var miscounts: [Miscount] = []
    /// How many there are of each kind.
    package var commands: [Command.Kind: Int] = [:]
    package var deadLetters = 0
    /// Versions of the catalogue.
    package var catalogueChanges = 0
    package var head = LedgerHead(epoch: 0, seq: 0, position: 0, catalogueVersion: 0)

    /// Rows that were recorded and are missing (`LedgerHead.position`), or whose details are.
    package var missingRecords: Int64 = 0
    /// Changes of the counters whose seq is not the next one after those before it.
    package var missingChanges: Int64 = 0
    /// Orders that were refused and are missing, or are not marked as refused.
    package var missingRefusals: Int64 = 0
    /// Bytes of dead letters that the ledger counts and that are missing; negative: there are more.
    package var missingDeadLetterBytes: Int64 = 0

    /// Refunds that are due and not listed, or listed and not due, and wrong sums of refunds.
    package var refundFaults = 0

    package init() {}

    package var orders: Int { commands[.placeOrder] ?? 0 }

    package var isSound: Bool {
        integrity.isEmpty && danglingReferences == 0 && miscounts.isEmpty && missingRecords == 0 && missingChanges == 0
            && missingRefusals == 0
            && missingDeadLetterBytes == 0 && refundFaults == 0
    }
}
