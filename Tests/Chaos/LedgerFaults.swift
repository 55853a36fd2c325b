import Foundation
import GRDB
import Randomness
import TestSupport

/// Faults of the ledger: a full disk, a lock held by another process, a new catalogue.
struct LedgerFaults: Lane {
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
        await disk.keepFull(for: time)
        journal.note("disk has room again")
    }

    private mutating func holdLock() async throws {
        // Sometimes longer than SQLite waits for it (5 s).
        let time = Duration.milliseconds(
            generator.chance(8)
                ? Int.random(in: 5_000...7_000, using: &generator) : Int.random(in: 100...2_000, using: &generator))
        do {
            try await shop.lockLedger(for: time) { journal.fault("ledger locked", "\(time)") }
        } catch {
            journal.note("locking the ledger failed: \(error)")
        }
    }

    /// What an operator does who distrusts the counters. It may fail, for instance while Redis is unavailable.
    private func repair() async throws {
        let result = try await shop.run(["reconcile", "--repair"])
        journal.fault("reconcile --repair", "exited \(result.status)")
    }

    static let heading = "CATALOGUE"

    private mutating func changeCatalogue() async throws {
        var next = catalogues.latest
        let figures = (try? shop.rows.read(LedgerRows.figures)) ?? [:]
        let changes = next.change(
            sold: figures.mapValues(\.sold), done: journal.counts(Self.heading), without: without, using: &generator)
        if next == catalogues.latest { return }
        if try await catalogues.sync(next, in: shop) {
            for change in changes { journal.count(Self.heading, change.rawValue) }
            let texts = changes.map(\.rawValue).joined(separator: ", ")
            journal.fault("sync", "version \(catalogues.version): \(texts)")
        } else {
            journal.note("sync failed, as it may with a full disk or a lock")
        }
    }
}

extension ChaosShop {
    /// Holds the ledger's write lock, like a program that forgets to end its transaction.
    /// - Parameter whenLocked: Called once the lock is held.
    /// - Throws: If the lock could not be obtained.
    func lockLedger(for time: Duration, whenLocked: () -> Void = {}) async throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA wal_autocheckpoint = 0") }
        let queue = try DatabaseQueue(path: ledger, configuration: configuration)
        defer { try? queue.close() }
        try await queue.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
        whenLocked()
        try? await Task.sleep(for: time)
        try await queue.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
    }
}
