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

/// A recorded change of one product or variant by one version of the catalogue.
package struct RecordedCatalogueChange: Sendable, Equatable {
    package var number: Int64
    package var version: Int64
    package var place: EpochPosition
    package var kind: CatalogueChanges.Kind
    package var counter: CounterName
    /// `nil` if the change concerns the whole SKU.
    package var column: ColumnChange?
    /// RFC 3339, UTC.
    package var changedAt: String
    /// The operator who synced the catalogue; `nil` if none was named.
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

/// The file assigns variants to different products from those in the ledger.
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
