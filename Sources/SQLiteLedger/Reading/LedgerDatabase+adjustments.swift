import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    /// Returns adjustments, latest first.
    package func adjustments(limit: Int, after: String?) async throws -> Page<RecordedAdjustment> {
        try await read { db in
            try PageRequest(limit: limit, after: after).page(of: "adjustments", by: "position", db, Self.adjustment)
        }
    }

    /// Returns one adjustment, or `nil` if there is none.
    package func adjustment(_ id: Identifier) async throws -> RecordedAdjustment? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM adjustments WHERE id = ?", arguments: [id.text])
                .map(Self.adjustment)
        }
    }

    private static func adjustment(_ row: Row) throws -> RecordedAdjustment {
        try RecordedAdjustment(
            adjustment: Adjustment(
                adjustmentID: Identifier(row.value("id")),
                sku: SKU(
                    Identifier(row.value("product_id")), (row.value("variant_id") as String?).map { Identifier($0) }),
                units: row.value("quantity"), reason: row.value("reason"), adjustedAt: row.value("adjusted_at"),
                by: row.value("by")),
            seq: row.value("seq"), epoch: row.value("epoch"), decidedAt: row.value("decided_at"),
            entryID: row.value("entry_id"))
    }
}
