import Domain

/// The changes that a catalogue file makes to the ledger.
package struct CatalogueChanges: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case added
        case changed
        /// The SKU is missing from the file and is no longer sold.
        case closed
        /// The SKU was closed and is in the file again.
        case reopened
    }

    package struct Change: Sendable, Equatable {
        package var kind: Kind
        package var counter: CounterName
        /// For `changed` and `reopened`, the columns that differ, except the position in the file.
        package var columns: [ColumnChange]

        package init(kind: Kind, counter: CounterName, columns: [ColumnChange]) {
            self.kind = kind
            self.counter = counter
            self.columns = columns
        }
    }

    /// In the order of the file, followed by the closed SKUs.
    package var changes: [Change] = []
    /// Conditions that an operator should check: caps below the units already sold.
    package var warnings: [String] = []
    /// The number of products and variants that stay the same.
    package var unchanged = 0
    package var version: Int64 = 0

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }
}

extension CatalogueChanges {
    /// The rows that record these changes permanently: one without a column for each SKU that was added, closed or
    /// reopened, and one for each column that differs.
    package var rows: [(kind: Kind, counter: CounterName, column: ColumnChange?)] {
        changes.flatMap { change -> [(kind: Kind, counter: CounterName, column: ColumnChange?)] in
            let whole = change.kind == .changed ? [] : [(change.kind, change.counter, ColumnChange?.none)]
            return whole + change.columns.map { (.changed, change.counter, $0) }
        }
    }
}
