import Inventory

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
        /// For `changed` and `reopened`: the columns that differ, with both values if they are short.
        package var columns: [String]

        package init(kind: Kind, counter: CounterName, columns: [String]) {
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
