import Domain
import Ledger

/// Synchronises a catalogue. For a dry run, the caller works on a copy and discards it.
extension MemoryTables {
    private typealias Value = ColumnChange.Value
    private typealias Columns = [(name: String, value: Value)]

    /// The number of products between two progress reports.
    private static let progressInterval = 1_000

    mutating func sync(
        _ catalogue: Catalogue, by: String?, progress: (@Sendable (Int) -> Void)?
    ) throws -> CatalogueChanges {
        try refuseMoves(catalogue)
        var result = CatalogueChanges()
        let version = head.catalogueVersion + 1
        var seen: Set<CounterName> = []
        for (index, product) in catalogue.products.enumerated() {
            seen.insert(.product(product.id))
            apply(product, at: index, version, &result)
            for (place, variant) in product.variants.enumerated() {
                seen.insert(.variant(variant.id))
                apply(variant, of: product.id, at: place, version, &result)
            }
            if (index + 1) % Self.progressInterval == 0 { progress?(index + 1) }
        }
        for place in products.indices
        where products[place].isActive && !seen.contains(.product(products[place].product.id)) {
            (products[place].isActive, products[place].version) = (false, version)
            result.changes.append(.init(kind: .closed, counter: .product(products[place].product.id), columns: []))
        }
        for place in variants.indices
        where variants[place].isActive && !seen.contains(.variant(variants[place].variant.id)) {
            (variants[place].isActive, variants[place].version) = (false, version)
            result.changes.append(.init(kind: .closed, counter: .variant(variants[place].variant.id), columns: []))
        }
        categories = catalogue.categories
        if !result.isEmpty {
            raiseCatalogueVersion(by: by)
            keep(result)
        }
        result.version = head.catalogueVersion
        return result
    }

    package mutating func raiseCatalogueVersion(by: String? = nil) {
        head.catalogueVersion += 1
        journal.append(
            JournalEntry(
                position: Int64(journal.count + 1), kind: .catalogue, key: Identifier(String(head.catalogueVersion)),
                digest: [], outcome: JournalKind.catalogue.rawValue, epoch: head.epoch, decidedAt: Timestamp.now(),
                by: by))
        head.position = Int64(journal.count)
    }

    /// Records the changes of the version that the journal's last row contains.
    private mutating func keep(_ changes: CatalogueChanges) {
        guard let entry = journal.last else { return }
        for row in changes.rows {
            catalogueChanges.append(
                RecordedCatalogueChange(
                    number: Int64(catalogueChanges.count + 1), version: head.catalogueVersion,
                    place: EpochPosition(epoch: entry.epoch, position: entry.position), kind: row.kind,
                    counter: row.counter, column: row.column, changedAt: entry.decidedAt, by: entry.by))
        }
    }

    private func refuseMoves(_ catalogue: Catalogue) throws {
        var moves: [MovedVariant.Move] = []
        for (index, product) in catalogue.products.enumerated() {
            for (place, variant) in product.variants.enumerated() {
                guard let known = self.variant(variant.id), known.productID != product.id else { continue }
                moves.append(
                    .init(
                        path: "products[\(index)].variants[\(place)].id", variant: variant.id,
                        ledgerProduct: known.productID, fileProduct: product.id))
            }
        }
        if !moves.isEmpty { throw MovedVariant(moves: moves) }
    }

    private mutating func apply(
        _ product: Product, at position: Int, _ version: Int64, _ result: inout CatalogueChanges
    ) {
        let counter = CounterName.product(product.id)
        var bare = product
        bare.variants = []
        guard let place = products.firstIndex(where: { $0.product.id == product.id }) else {
            products.append(
                ProductRow(product: bare, hasVariants: product.hasVariants, position: position, version: version))
            return add(counter, cap: product.cap, &result)
        }
        let old = products[place]
        products[place].position = position
        let changed = note(
            counter, cap: product.cap, wasActive: old.isActive,
            from: Self.columns(old.product, hasVariants: old.hasVariants),
            to: Self.columns(bare, hasVariants: product.hasVariants), moved: old.position != position, &result)
        guard changed else { return }
        products[place] = ProductRow(
            product: bare, hasVariants: product.hasVariants, position: position, version: version)
    }

    private mutating func apply(
        _ variant: Variant, of product: Identifier, at position: Int, _ version: Int64,
        _ result: inout CatalogueChanges
    ) {
        let counter = CounterName.variant(variant.id)
        guard let place = variants.firstIndex(where: { $0.variant.id == variant.id }) else {
            variants.append(VariantRow(variant: variant, productID: product, position: position, version: version))
            return add(counter, cap: variant.cap, &result)
        }
        let old = variants[place]
        variants[place].position = position
        let changed = note(
            counter, cap: variant.cap, wasActive: old.isActive, from: Self.columns(old.variant),
            to: Self.columns(variant), moved: old.position != position, &result)
        guard changed else { return }
        variants[place] = VariantRow(variant: variant, productID: product, position: position, version: version)
    }

    private mutating func add(_ counter: CounterName, cap: Int64?, _ result: inout CatalogueChanges) {
        balances[counter] = Balance(sold: 0, cap: cap)
        result.changes.append(.init(kind: .added, counter: counter, columns: []))
    }

    /// - Returns: whether the row changes in more than its position.
    private mutating func note(
        _ counter: CounterName, cap: Int64?, wasActive: Bool, from old: Columns, to new: Columns, moved: Bool,
        _ result: inout CatalogueChanges
    ) -> Bool {
        let sold = balances[counter]?.sold ?? 0
        balances[counter]?.cap = cap
        if let cap, cap < sold {
            result.warnings.append(
                "\(counter.level.rawValue) \(counter.id): max_quantity \(cap) is below the \(sold) already sold; no more can be sold"
            )
        }
        let differing = zip(old, new).filter { $0.value != $1.value }
        if differing.isEmpty, wasActive {
            result.unchanged += 1
            return false
        }
        result.changes.append(
            .init(
                kind: wasActive ? .changed : .reopened, counter: counter,
                columns: differing.map { ColumnChange(column: $0.name, before: $0.value, after: $1.value) }))
        return true
    }

    private static func columns(_ product: Product, hasVariants: Bool) -> Columns {
        [
            ("name", Value(product.name)), ("description", Value(product.description)),
            ("long_description", Value(product.longDescription)), ("category", Value(product.category)),
            ("dev_status", Value(Int64(product.devStatus))), ("base_price", Value(product.basePrice)),
            ("stripe_product_id", Value(product.stripeProductID)), ("has_variants", Value(hasVariants)),
            ("requires_assembly", Value(product.requiresAssembly)), ("images", Value(product.images)),
            ("specs", Value(product.specs)), ("metadata", Value(product.metadata)),
            ("max_quantity", Value(product.cap)),
        ]
    }

    private static func columns(_ variant: Variant) -> Columns {
        [
            ("name", Value(variant.name)), ("description", Value(variant.description)),
            ("stripe_product_id", Value(variant.stripeProductID)), ("images", Value(variant.images)),
            ("specs", Value(variant.specs)), ("metadata", Value(variant.metadata)),
            ("max_quantity", Value(variant.cap)),
        ]
    }

    // MARK: - Reading

    private func inOrder<Row>(
        _ rows: [Row], _ place: (Row) -> (isActive: Bool, position: Int, id: Identifier)
    ) -> [Row] {
        rows.map { (place($0), $0) }.sorted { left, right in
            let (left, right) = (left.0, right.0)
            if left.isActive != right.isActive { return left.isActive }
            return left.position != right.position ? left.position < right.position : left.id < right.id
        }.map(\.1)
    }

    /// In the catalogue's order, closed products last.
    var listedProducts: [ProductRow] { inOrder(products) { ($0.isActive, $0.position, $0.product.id) } }

    func listedVariants(of product: Identifier) -> [VariantRow] {
        inOrder(variants.filter { $0.productID == product }) { ($0.isActive, $0.position, $0.variant.id) }
    }

    var index: CatalogueIndex {
        CatalogueIndex(
            version: head.catalogueVersion,
            products: Dictionary(
                uniqueKeysWithValues: products.map {
                    ($0.product.id, .init(isActive: $0.isActive, hasVariants: $0.hasVariants))
                }),
            variants: Dictionary(
                uniqueKeysWithValues: variants.map {
                    ($0.variant.id, .init(productID: $0.productID, isActive: $0.isActive))
                }))
    }
}
