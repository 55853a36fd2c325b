import Foundation
import GRDB
import Randomness
import TestSupport

/// What happens to the ledger: a full disk, a lock that somebody holds, another catalogue.
struct LedgerFaults {
    let shop: ChaosShop
    let journal: ChaosJournal
    let catalogues: Catalogues
    let without: Set<String>
    var generator: SeededGenerator

    mutating func run(_ rhythm: Rhythm) async throws {
        while try await rhythm.turn(of: .ledger) {
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<25 where !without.contains("disk full"): try await fillDisk()
            case 25..<40 where !without.contains("ledger locked"): try await holdLock()
            case 40..<90 where !without.contains("sync"): try await changeCatalogue()
            case 90... where !without.contains("reconcile --repair"): try await repair()
            default: break
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 200...1_200, using: &generator)))
        }
    }

    private mutating func fillDisk() async throws {
        guard let disk = shop.disk else { return }
        let time = Duration.milliseconds(Int.random(in: 200...1_800, using: &generator))
        journal.fault("disk full", "\(time)")
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            // What a checkpoint frees is taken, too.
            disk.fill()
            try? await Task.sleep(for: .milliseconds(20))
        }
        disk.empty()
        journal.note("disk has room again")
    }

    private mutating func holdLock() async throws {
        // Longer than SQLite waits for it (5 s), sometimes.
        let time = Duration.milliseconds(
            generator.chance(8)
                ? Int.random(in: 5_000...7_000, using: &generator) : Int.random(in: 100...2_000, using: &generator))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA wal_autocheckpoint = 0") }
        guard let queue = try? DatabaseQueue(path: shop.ledger, configuration: configuration) else { return }
        do {
            try await queue.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
            journal.fault("ledger locked", "\(time)")
            try? await Task.sleep(for: time)
            try await queue.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        } catch {
            journal.note("locking the ledger came to nothing: \(error)")
        }
        try? queue.close()
    }

    /// What a person does who does not trust the counters. It may come to nothing, with Redis away say.
    private func repair() async throws {
        let result = try await shop.run(["reconcile", "--repair"])
        journal.fault("reconcile --repair", "exited \(result.status)")
    }

    private mutating func changeCatalogue() async throws {
        var next = catalogues.latest
        let figures = (try? shop.rows.read(LedgerRows.figures)) ?? [:]
        next.change(sold: figures.mapValues(\.sold), using: &generator)
        if next == catalogues.latest { return }
        if try await catalogues.sync(next, in: shop) {
            journal.fault("sync", "version \(catalogues.version)")
        } else {
            journal.note("sync failed, as it may with a full disk or a lock")
        }
    }
}
