import Domain

/// The file assigns variants to different products from those in the ledger.
package struct MovedVariant: Error, Sendable, Equatable {
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
