import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func sync(
        _ catalogue: Catalogue, by: String?, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges {
        try await write { db in
            var sync = CatalogueSync(db: db, writes: true, by: by, now: Timestamp.now(), progress: progress)
            return try sync.run(catalogue)
        }
    }

    package func changes(
        by catalogue: Catalogue, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges {
        try await read { db in
            var sync = CatalogueSync(db: db, writes: false, by: nil, now: Timestamp.now(), progress: progress)
            return try sync.run(catalogue)
        }
    }
}

/// One run of `sync` over the tables.
private struct CatalogueSync {
    let db: Database
    let writes: Bool
    let by: String?
    let now: String
    let progress: (@Sendable (Int) -> Void)?
    private var result = CatalogueChanges()
    private var seen: Set<CounterName> = []
    /// The version that the catalogue gets if anything changes.
    private var nextVersion: Int64 = 0

    init(db: Database, writes: Bool, by: String?, now: String, progress: (@Sendable (Int) -> Void)?) {
        self.db = db
        self.writes = writes
        self.by = by
        self.now = now
        self.progress = progress
    }

    /// The number of products between two progress reports.
    private static let progressInterval = 1_000

    mutating func run(_ catalogue: Catalogue) throws -> CatalogueChanges {
        try refuseMoves(catalogue)
        nextVersion = try LedgerHead.read(db).catalogueVersion + 1
        for (index, product) in catalogue.products.enumerated() {
            try apply(columns(of: product, position: index), to: .product(product.id))
            for (place, variant) in product.variants.enumerated() {
                try apply(columns(of: variant, of: product, position: place), to: .variant(variant.id))
            }
            if (index + 1) % Self.progressInterval == 0 { progress?(index + 1) }
        }
        try closeMissing()
        try syncCategories(catalogue.categories)
        result.version = nextVersion - 1
        if !result.isEmpty, writes {
            try db.execute(
                sql: "UPDATE ledger SET catalogue_version = ?, position = position + 1", arguments: [nextVersion])
            try recordChanges()
            result.version = nextVersion
        }
        return result
    }

    private func recordChanges() throws {
        try db.execute(
            sql: """
                INSERT INTO journal (position, kind, key, outcome, epoch, decided_at, "by")
                SELECT position, '\(JournalKind.catalogue.rawValue)', catalogue_version,
                    '\(JournalKind.catalogue.rawValue)', epoch, ?, ? FROM ledger
                """, arguments: [now, by])
        let statement = try db.makeStatement(
            sql: """
                INSERT INTO catalogue_changes (position, kind, level, counter_id, "column", before, after)
                VALUES ((SELECT position FROM ledger), ?, ?, ?, ?, ?, ?)
                """)
        for row in result.rows {
            try statement.execute(arguments: [
                row.kind.rawValue, row.counter.level.rawValue, row.counter.id.text, row.column?.column,
                row.column?.before.kept, row.column?.after.kept,
            ])
        }
    }

    private func refuseMoves(_ catalogue: Catalogue) throws {
        var moves: [MovedVariant.Move] = []
        let statement = try db.makeStatement(sql: "SELECT product_id FROM catalogue_variants WHERE id = ?")
        for (index, product) in catalogue.products.enumerated() {
            for (place, variant) in product.variants.enumerated() {
                guard let known = try String.fetchOne(statement, arguments: [variant.id.text]),
                    Identifier(known) != product.id
                else { continue }
                moves.append(
                    MovedVariant.Move(
                        path: "products[\(index)].variants[\(place)].id", variant: variant.id,
                        ledgerProduct: Identifier(known), fileProduct: product.id))
            }
        }
        if !moves.isEmpty { throw MovedVariant(moves: moves) }
    }

    // MARK: - Rows

    private typealias Columns = [(name: String, value: DatabaseValue)]

    private func columns(of product: Product, position: Int) -> Columns {
        [
            ("name", product.name.databaseValue), ("description", product.description.databaseValue),
            ("long_description", product.longDescription.databaseValue),
            ("category", product.category.databaseValue), ("dev_status", product.devStatus.databaseValue),
            ("base_price", product.basePrice.databaseValue),
            ("stripe_product_id", product.stripeProductID.databaseValue),
            ("has_variants", product.hasVariants.databaseValue),
            ("requires_assembly", product.requiresAssembly.databaseValue),
            ("images", product.images.databaseValue), ("specs", product.specs.databaseValue),
            ("metadata", product.metadata.databaseValue), ("position", position.databaseValue),
            ("max_quantity", product.cap.databaseValue),
        ]
    }

    private func columns(of variant: Variant, of product: Product, position: Int) -> Columns {
        [
            ("product_id", product.id.text.databaseValue), ("name", variant.name.databaseValue),
            ("description", variant.description.databaseValue),
            ("stripe_product_id", variant.stripeProductID.databaseValue),
            ("images", variant.images.databaseValue), ("specs", variant.specs.databaseValue),
            ("metadata", variant.metadata.databaseValue), ("position", position.databaseValue),
            ("max_quantity", variant.cap.databaseValue),
        ]
    }

    private mutating func apply(_ columns: Columns, to counter: CounterName) throws {
        seen.insert(counter)
        let select = try db.cachedStatement(sql: "SELECT * FROM \(counter.level.view) WHERE id = ?")
        guard let row = try Row.fetchOne(select, arguments: [counter.id.text]) else {
            result.changes.append(.init(kind: .added, counter: counter, columns: []))
            if writes { try insert(columns, of: counter) }
            return
        }
        let wasClosed = try !(row.value("is_active") as Bool)
        let differing = columns.filter { (row[$0.name] as DatabaseValue) != $0.value }
        try warnIfBelowSold(columns, row: row, counter: counter)
        if differing.allSatisfy({ $0.name == "position" }), !wasClosed {
            // Only its position in the file has changed, which matters neither to the consumer nor to shops.
            result.unchanged += 1
            if let position = differing.first, writes {
                try db.cachedStatement(sql: "UPDATE \(counter.level.catalogueTable) SET position = ? WHERE id = ?")
                    .execute(arguments: [position.value, counter.id.text])
            }
            return
        }
        let described = try differing.filter { $0.name != "position" }.map {
            try ColumnChange(
                column: $0.name, before: ColumnChange.Value(row[$0.name] as DatabaseValue),
                after: ColumnChange.Value($0.value))
        }
        result.changes.append(.init(kind: wasClosed ? .reopened : .changed, counter: counter, columns: described))
        if writes { try update(columns, of: counter) }
    }

    private static let cap = "max_quantity"

    private func insert(_ columns: Columns, of counter: CounterName) throws {
        let (level, id) = (counter.level, counter.id.text)
        let caps = columns.filter { $0.name == Self.cap }.map(\.value)
        try db.cachedStatement(sql: "INSERT INTO \(level.counterTable) (\(Self.cap), id) VALUES (?, ?)")
            .execute(arguments: StatementArguments(caps + [id.databaseValue]))
        let columns =
            columns.filter { $0.name != Self.cap } + [
                ("id", id.databaseValue), ("created_at", now.databaseValue), ("updated_at", now.databaseValue),
                ("catalogue_version", nextVersion.databaseValue),
            ]
        let names = columns.map(\.name).joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        try db.cachedStatement(sql: "INSERT INTO \(level.catalogueTable) (\(names)) VALUES (\(marks))")
            .execute(arguments: StatementArguments(columns.map(\.value)))
    }

    private func update(_ columns: Columns, of counter: CounterName) throws {
        let (level, id) = (counter.level, counter.id.text)
        let caps = columns.filter { $0.name == Self.cap }.map(\.value)
        try db.cachedStatement(sql: "UPDATE \(level.counterTable) SET \(Self.cap) = ? WHERE id = ?")
            .execute(arguments: StatementArguments(caps + [id.databaseValue]))
        let columns = columns.filter { $0.name != Self.cap }
        let assignments = columns.map { "\($0.name) = ?" }.joined(separator: ", ")
        try db.cachedStatement(
            sql: """
                UPDATE \(level.catalogueTable)
                SET \(assignments), is_active = 1, catalogue_version = ?, updated_at = ? WHERE id = ?
                """
        )
        .execute(
            arguments: StatementArguments(
                columns.map(\.value) + [nextVersion.databaseValue, now.databaseValue, id.databaseValue]))
    }

    private mutating func warnIfBelowSold(_ columns: Columns, row: Row, counter: CounterName) throws {
        guard let cap = columns.first(where: { $0.name == Self.cap }),
            let units = Int64.fromDatabaseValue(cap.value)
        else { return }
        let sold: Int64 = try row.value("sold_quantity")
        if units < sold {
            result.warnings.append(
                "\(counter.level.rawValue) \(counter.id): max_quantity \(units) is below the \(sold) already sold; no more can be sold"
            )
        }
    }

    private mutating func closeMissing() throws {
        for level in CapLevel.allCases {
            let active = try String.fetchAll(
                db, sql: "SELECT id FROM \(level.catalogueTable) WHERE is_active = 1 ORDER BY rowid")
            for id in active {
                let counter = CounterName(level, Identifier(id))
                if seen.contains(counter) { continue }
                result.changes.append(.init(kind: .closed, counter: counter, columns: []))
                guard writes else { continue }
                try db.cachedStatement(
                    sql: """
                        UPDATE \(level.catalogueTable) SET is_active = 0, catalogue_version = ?, updated_at = ?
                        WHERE id = ?
                        """
                )
                .execute(arguments: [nextVersion, now, id])
            }
        }
    }

    private func syncCategories(_ categories: [String]) throws {
        let known = try String.fetchAll(db, sql: "SELECT name FROM categories ORDER BY position")
        if known == categories || !writes { return }
        try db.execute(sql: "DELETE FROM categories")
        for (position, category) in categories.enumerated() {
            try db.execute(
                sql: "INSERT INTO categories (name, position) VALUES (?, ?)", arguments: [category, position])
        }
    }
}

extension LedgerDatabase {
    package func catalogueChanges(
        of id: Identifier?, limit: Int, after: String?
    ) async throws -> Page<RecordedCatalogueChange> {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT changes.*, journal.key AS version, journal.epoch, journal.decided_at, journal."by"
                    FROM catalogue_changes AS changes JOIN journal USING (position)
                    WHERE (?1 IS NULL OR id < ?1) \(id == nil ? "" : "AND counter_id = ?3") ORDER BY id DESC LIMIT ?2
                    """,
                arguments: [request.cursor, request.rows] + (id.map { [$0.text] } ?? []))
            return try request.page(rows, by: "id") { row in
                guard let kind = CatalogueChanges.Kind(rawValue: try row.value("kind")),
                    let level = CapLevel(rawValue: try row.value("level")),
                    let version = Int64(try row.value("version"))
                else {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an invalid catalogue change")
                }
                let column = try (row.value("column") as String?).map { column in
                    try ColumnChange(
                        column: column, before: ColumnChange.Value(row.value("before"), of: column),
                        after: ColumnChange.Value(row.value("after"), of: column))
                }
                return try RecordedCatalogueChange(
                    number: row.value("id"), version: version,
                    place: EpochPosition(epoch: row.value("epoch"), position: row.value("position")), kind: kind,
                    counter: CounterName(level, Identifier(row.value("counter_id"))), column: column,
                    changedAt: row.value("decided_at"), by: row.value("by"))
            }
        }
    }
}

extension ColumnChange.Value {
    /// A value from the catalogue's row.
    fileprivate init(_ value: DatabaseValue) throws {
        switch value.storage {
        case .null: self = .none
        case .int64(let number): self = .integer(number)
        case .string(let text): self = .text(text)
        case .double, .blob:
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a catalogue value of the wrong type")
        }
    }

    /// A value as stored in `catalogue_changes`.
    fileprivate init(_ text: String?, of column: String) throws {
        guard let text, ColumnChange.numbers.contains(column) else {
            self.init(text)
            return
        }
        guard let number = Int64(text) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a change of \(column) that is not a number")
        }
        self = .integer(number)
    }

    fileprivate var kept: String? {
        switch self {
        case .none: nil
        case .integer(let number): String(number)
        case .text(let text): text
        }
    }
}

extension CapLevel {
    /// The read-only view of SKUs joined with their counters.
    var view: String {
        switch self {
        case .product: "products"
        case .variant: "variants"
        }
    }

    /// The table that `sync` writes, which contains everything except caps.
    var catalogueTable: String { "catalogue_\(view)" }

    /// The table of the counters with their caps.
    var counterTable: String { "\(rawValue)_counters" }
}
