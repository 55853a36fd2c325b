import Concurrency
import Failpoints
import GRDB
import Domain
import Ledger

extension LedgerHead {
    static let columns = "epoch, seq, position, catalogue_version"

    static let missing = DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the ledger has no head")

    /// - Parameter row: a row that begins with `columns`.
    init(_ row: Row) throws {
        try self.init(epoch: row.value(0), seq: row.value(1), position: row.value(2), catalogueVersion: row.value(3))
    }

    static func read(_ db: Database) throws -> LedgerHead {
        let select = try db.cachedStatement(sql: "SELECT \(columns) FROM ledger")
        guard let row = try Row.fetchOne(select) else { throw missing }
        return try LedgerHead(row)
    }
}

extension LedgerDatabase {
    package func head() async throws -> LedgerHead {
        try await read(LedgerHead.read)
    }

    package func watermark() async throws -> LedgerWatermark {
        try await read { db in
            let head = try LedgerHead.read(db)
            let now = SystemClock.milliseconds()
            let due = now - LedgerWatermark.installTime.components.seconds * 1_000
            // A time in the future shows that this machine's clock was set back, so the epoch's age is unknown.
            let statement = try db.cachedStatement(
                sql: "SELECT epoch FROM epochs WHERE opened_at < ? OR opened_at > ? ORDER BY epoch DESC LIMIT 1")
            let dueEpoch = try Int64.fetchOne(
                statement, arguments: [Timestamp.text(milliseconds: due), Timestamp.text(milliseconds: now)])
            return LedgerWatermark(epoch: head.epoch, seq: head.seq, dueEpoch: dueEpoch ?? 0)
        }
    }

    package func raiseEpoch(catalogueBefore version: Int64?, reason: String) async throws -> EpochStart {
        try await write { db in
            let head = try Self.nextEpoch(db, reason: reason)
            let (counters, catalogue) = try Self.counters(db, version: head.catalogueVersion)
            let changed = try String.fetchAll(
                db,
                sql: """
                    SELECT id FROM catalogue_products WHERE catalogue_version > ?1
                    UNION SELECT product_id FROM catalogue_variants WHERE catalogue_version > ?1
                    """,
                arguments: [version ?? head.catalogueVersion])
            Failpoint.epochBeforeCommit.pass()
            return EpochStart(
                head: head, counters: counters, catalogue: catalogue, changedProducts: changed.map { Identifier($0) })
        }
    }

    /// Raises the epoch by one, and records the reason.
    static func nextEpoch(_ db: Database, reason: String) throws -> LedgerHead {
        try db.execute(sql: "UPDATE ledger SET epoch = epoch + 1")
        let head = try LedgerHead.read(db)
        try db.execute(
            sql: """
                INSERT INTO epochs (epoch, reason, catalogue_version, seq, position, opened_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [head.epoch, reason, head.catalogueVersion, head.seq, head.position, Timestamp.now()])
        return head
    }

    package func raiseEpoch(above epoch: Int64, by: String?) async throws {
        try await write { db in try Self.raiseEpoch(above: epoch, .adopt, by: by, db) }
    }

    static func raiseEpoch(above epoch: Int64, _ action: AuditEntry.Action, by: String?, _ db: Database) throws {
        try note(action, String(epoch), by: by, at: Timestamp.now(), db)
        guard (0...LedgerHead.highestEpoch).contains(epoch) else { return }
        try db.execute(sql: "UPDATE ledger SET epoch = max(epoch, ?)", arguments: [epoch])
    }

    /// Returns every counter with its cap, products first, and the catalogue that the counters belong to.
    static func counters(
        _ db: Database, version: Int64
    ) throws -> ([(name: CounterName, state: CounterState)], CatalogueIndex) {
        var counters: [(name: CounterName, state: CounterState)] = []
        var products: [Identifier: CatalogueIndex.ProductEntry] = [:]
        var variants: [Identifier: CatalogueIndex.VariantEntry] = [:]
        let productRows = try Row.fetchCursor(
            db, sql: "SELECT id, sold_quantity, max_quantity, is_active, has_variants FROM products")
        while let row = try productRows.next() {
            let id = Identifier(try row.value(0))
            let isActive = try row.value(3) as Bool
            products[id] = try CatalogueIndex.ProductEntry(isActive: isActive, hasVariants: row.value(4))
            counters.append((.product(id), try CounterState(sold: row.value(1), cap: row.value(2), isActive: isActive)))
        }
        let variantRows = try Row.fetchCursor(
            db, sql: "SELECT id, sold_quantity, max_quantity, is_active, product_id FROM variants")
        while let row = try variantRows.next() {
            let id = Identifier(try row.value(0))
            let isActive = try row.value(3) as Bool
            variants[id] = try CatalogueIndex.VariantEntry(productID: Identifier(row.value(4)), isActive: isActive)
            counters.append((.variant(id), try CounterState(sold: row.value(1), cap: row.value(2), isActive: isActive)))
        }
        return (counters, CatalogueIndex(version: version, products: products, variants: variants))
    }
}
