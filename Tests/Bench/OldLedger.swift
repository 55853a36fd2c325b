import Foundation
import GRDB
import LedgerSamples
import TestSupport

/// A ledger as after years of sales, created by SQLite alone in less than a minute. Its orders have every column of
/// recorded ones, ids spread evenly over the range of random ones, and consistent sums: `ledger check` finds it sound.
struct OldLedger {
    let path: String
    /// A multiple of the products.
    let orders: Int
    let products: Int

    func make(from template: LedgerTemplate, in workshop: Workshop) async throws {
        try FileManager.default.copyItem(atPath: template.path, toPath: path)
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.journalMode = .default
        let (orders, products) = (orders, products)
        let step = OrderMaker.risingFrom / UInt64(orders)
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try await database.writeWithoutTransaction { db in
            // Nothing here has to survive a crash; everything is flushed to the disk below.
            try db.execute(
                sql: """
                    PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -500000;
                    """)
            try db.inTransaction {
                let position = try Int.fetchOne(db, sql: "SELECT position FROM ledger") ?? 0
                try db.execute(
                    sql: AcceptedOrders(count: orders, products: products, idStep: step, after: position).sql)
                return .commit
            }
            try db.execute(sql: "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL; SELECT count(*) FROM ledger")
        }
        try database.close()
        // For the full size that takes half a minute, which a run does not have; the statements are the same.
        if workshop.scale.isQuick { try await workshop.run(["ledger", "check"], ledger: path) }
        try await workshop.calmDisk()
    }
}
