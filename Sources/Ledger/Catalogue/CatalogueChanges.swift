import Domain

/// What a catalogue file changes in the ledger.
package struct CatalogueChanges: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case added
        case changed
        /// No longer in the file: not sold any more.
        case closed
        /// Back in the file.
        case reopened
    }

    package struct Change: Sendable, Equatable {
        package var kind: Kind
        package var counter: CounterName
        /// For `changed` and `reopened`: the columns that differ, but for the place in the file.
        package var columns: [ColumnChange]

        package init(kind: Kind, counter: CounterName, columns: [ColumnChange]) {
            self.kind = kind
            self.counter = counter
            self.columns = columns
        }
    }

    /// In the order of the file; what was closed comes last.
    package var changes: [Change] = []
    /// What an operator should check: a cap below the units already sold.
    package var warnings: [String] = []
    /// Products and variants that stay as they are.
    package var unchanged = 0
    package var version: Int64 = 0

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }
}

extension CatalogueChanges {
    /// What is kept of it for good: for what was added, closed or opened again a row without a column, and one for each
    /// column that differs.
    package var rows: [(kind: Kind, counter: CounterName, column: ColumnChange?)] {
        changes.flatMap { change -> [(kind: Kind, counter: CounterName, column: ColumnChange?)] in
            let whole = change.kind == .changed ? [] : [(change.kind, change.counter, ColumnChange?.none)]
            return whole + change.columns.map { (.changed, change.counter, $0) }
        }
    }
}

/// What a version of the catalogue has changed of one product or variant, as it is kept.
package struct RecordedCatalogueChange: Sendable, Equatable {
    package var number: Int64
    package var version: Int64
    package var place: EpochPosition
    package var kind: CatalogueChanges.Kind
    package var counter: CounterName
    /// nil: all of it.
    package var column: ColumnChange?
    /// RFC 3339, UTC.
    package var changedAt: String
    /// Who brought the catalogue in; nil: nobody has said.
    package var by: String?

    package init(
        number: Int64, version: Int64, place: EpochPosition, kind: CatalogueChanges.Kind, counter: CounterName,
        column: ColumnChange?, changedAt: String, by: String?
    ) {
        self.number = number
        self.version = version
        self.place = place
        self.kind = kind
        self.counter = counter
        self.column = column
        self.changedAt = changedAt
        self.by = by
    }
}

/// A variant in the file that the ledger knows under another product.
package struct VariantMoved: Error, Sendable, Equatable {
    package struct Move: Sendable, Equatable {
        package var path: String
        package var variant: Identifier
        package var ledgerProduct: Identifier
        package var fileProduct: Identifier

        package init(path: String, variant: Identifier, ledgerProduct: Identifier, fileProduct: Identifier) {
            self.path = path
            self.variant = variant
            self.ledgerProduct = ledgerProduct
            self.fileProduct = fileProduct
        }
    }

    package var moves: [Move]

    package init(moves: [Move]) {
        self.moves = moves
    }
}
