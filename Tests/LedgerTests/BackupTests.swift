import Foundation
import GRDB
import Inventory
import TestSupport
import Testing

@testable import Ledger

/// Copies of a ledger, and their way back into its place.
@Suite struct BackupTests {
    private func sell(_ count: Int, from first: Int, _ fixture: LedgerFixture) async throws {
        var seq = try await fixture.ledger.head().seq
        for number in first..<(first + count) {
            seq += 1
            try await fixture.record(
                order(Identifier("o\(number)"), [("sheet", nil, 1)], .accepted(seq: seq)))
        }
    }

    private func restoration(
        _ backup: String, _ path: String, store: String = "main"
    ) async throws -> LedgerRestoration {
        try await LedgerRestoration.prepare(from: backup, to: path, store: store) { _ in }
    }

    @Test("A backup is one sound file of one moment, for its owner alone")
    func backup() async throws {
        try await withLedger { fixture async throws in
            try await sell(50, from: 0, fixture)
            let path = fixture.folder.path(of: "backup")
            // What a run that was cut short has left.
            try fixture.folder.write("half", to: "backup.partial")
            let copy = try await fixture.ledger.backUp(to: path) { _ in }
            #expect(copy.check.isSound && copy.check.orders == 50)
            #expect(copy.check.head == (try await fixture.ledger.head()))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(attributes[.size] as? Int64 == copy.bytes)
            let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
            #expect(names.filter { $0.hasPrefix("backup") } == ["backup"])
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            await #expect(throws: LedgerError.copyExists(path: path)) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test("A whole backup that a crash left under both names is not emptied by the next run")
    func twoNames() async throws {
        try await withLedger { fixture async throws in
            let path = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: path) { _ in }
            #expect(link(path, path + ".partial") == 0)
            try FileManager.default.createDirectory(
                atPath: fixture.folder.path(of: "x"), withIntermediateDirectories: false)
            try PartialFile(path + ".partial").sync()
            let copy = try await LedgerDatabase.open(at: path, store: "main", for: .reader)
            #expect(try await copy.check().isSound)
            try copy.close()
        }
    }

    @Test("Two backups into the same file do not disturb each other")
    func twoAtOnce() async throws {
        try await withLedger { fixture async throws in
            let path = fixture.folder.path(of: "backup")
            let first = try PartialFile(path + ".partial")
            await #expect(throws: LedgerError.copyUnderWay(path: path + ".partial")) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test("A ledger that does not add up is not backed up")
    func unsound() async throws {
        try await withLedger { fixture async throws in
            try fixture.tamper("UPDATE product_counters SET sold_quantity = 1 WHERE id = 'sheet'")
            let path = fixture.folder.path(of: "backup")
            await #expect(throws: LedgerError.unsound(path: fixture.path, action: "backing up")) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
        }
    }

    @Test("A backup takes the ledger's place, at a higher epoch, and what it replaces is kept whole")
    func restore() async throws {
        try await withLedger { fixture async throws in
            try await sell(3, from: 0, fixture)
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            try await sell(4, from: 3, fixture)
            try await fixture.record(deadLetter("20-0"))
            _ = try await fixture.ledger.erase(["o1"])
            try await fixture.ledger.raiseEpoch()
            let path = fixture.path
            // The fixture's own connections are somebody else's.
            await #expect(throws: LedgerError.inUse(path: path, action: "restoring")) {
                try await restoration(backup, path)
            }
            try fixture.ledger.close()
            let restoring = try await restoration(backup, path)
            guard case .readable(_, let replaced) = restoring.replaced else {
                Issue.record("\(restoring.replaced)")
                return
            }
            #expect(replaced.seq == 7 && replaced.records == 8)
            let missing = try #require(try await restoring.missing(firstEntry: nil))
            #expect(missing.orders == 4 && missing.deadLetters == 1 && missing.gone == 5)
            #expect(missing.erased == ["o1"])
            let kept = try #require(try await restoring.missing(firstEntry: EntryPosition("20-0")))
            #expect(kept.gone == 4)
            try await restoring.raiseEpoch(above: 7)
            let name = try #require(try restoring.takePlace())
            for (file, orders, epoch) in [(path, 3, 7 as Int64), (name, 7, 1)] {
                let ledger = try await LedgerDatabase.open(at: file, store: "main", for: .consumer)
                #expect(try await ledger.check().isSound)
                #expect(try await ledger.orderCount() == orders)
                #expect(try await ledger.head().epoch == epoch)
                try ledger.close()
            }
        }
    }

    @Test("What is no sound ledger of the store takes nobody's place")
    func unfit() async throws {
        try await withLedger { fixture async throws in
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            let path = fixture.path
            try fixture.ledger.close()
            await #expect(throws: LedgerError.otherStore(path: backup, store: "main", asked: "other")) {
                try await restoration(backup, path, store: "other")
            }
            let foreign = fixture.folder.path(of: "foreign")
            try await LedgerDatabase.create(at: foreign, store: "other")
            await #expect(throws: LedgerError.otherStore(path: foreign, store: "other", asked: "main")) {
                try await restoration(backup, foreign)
            }
            let queue = try DatabaseQueue(path: backup)
            try await queue.write { db in try db.execute(sql: "UPDATE product_counters SET sold_quantity = 1") }
            try queue.close()
            await #expect(throws: LedgerError.unsound(path: backup, action: "restoring")) {
                try await restoration(backup, path)
            }
            try fixture.folder.write(String(repeating: "no database\n", count: 500), to: "backup")
            await #expect(throws: LedgerError.notALedger(path: backup, reason: "it is no SQLite database")) {
                try await restoration(backup, path)
            }
            #expect(!FileManager.default.fileExists(atPath: path + ".restoring"))
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.check().isSound)
            try ledger.close()
        }
    }

    @Test("A damaged or lost ledger is replaced as well, and its log does not get over the backup")
    func damaged() async throws {
        try await withLedger { fixture async throws in
            try await sell(3, from: 0, fixture)
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            let path = fixture.path
            try fixture.ledger.close()
            try fixture.folder.write(String(repeating: "damaged\n", count: 2_000), to: "ledger.db")
            try fixture.folder.write("log", to: "ledger.db-wal")
            let first = try await restoration(backup, path)
            #expect(first.replaced == .damaged)
            #expect(try await first.missing(firstEntry: nil) == nil)
            let kept = try #require(try first.takePlace())
            #expect(try String(contentsOfFile: kept, encoding: .utf8).hasPrefix("damaged"))
            try FileManager.default.removeItem(atPath: path)
            let second = try await restoration(backup, path)
            #expect(second.replaced == ReplacedLedger.none)
            #expect(try second.takePlace() == nil)
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.check().isSound)
            #expect(try await ledger.orderCount() == 3)
            try ledger.close()
        }
    }
}
