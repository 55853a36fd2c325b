import Foundation
import GRDB
import Domain
import Synchronization
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

/// Logs that belong to the file beside them, and logs that do not.
@Suite("A log beside a ledger")
struct WALFileTests {
    private func sell(_ count: Int, _ fixture: LedgerFixture) async throws {
        for _ in 0..<count {
            let seq = try await fixture.ledger.head().seq + 1
            try await fixture.record(order(Identifier("o\(seq)"), [("sheet", nil, 1)], .accepted(seq: seq)))
        }
    }

    private func checkpoint(_ fixture: LedgerFixture, _ mode: String) async throws {
        let rest = try await fixture.ledger.writeWithoutTransaction { db in
            try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(\(mode))")
        }
        #expect(rest == 0)
    }

    /// A copy of both files elsewhere, as a crash would leave them now, with other times and inodes.
    private func crashed(_ fixture: LedgerFixture, _ name: String, file: String? = nil) throws -> String {
        let path = fixture.folder.path(of: name)
        try FileManager.default.copyItem(atPath: file ?? fixture.path, toPath: path)
        try FileManager.default.copyItem(atPath: fixture.path + "-wal", toPath: path + "-wal")
        return path
    }

    private func finding(_ path: String) throws -> WALFile.Finding {
        let queue = try DatabaseQueue(path: path, configuration: LedgerDatabase.readerConfiguration)
        defer { try? queue.close() }
        return try queue.read { db in try WALFile.finding(db, path: path) }
    }

    @Test("that a crash left belongs to it, however much of it has been checkpointed")
    func belongs() async throws {
        try await withLedger { fixture async throws in
            try await checkpoint(fixture, "TRUNCATE")
            try await sell(5, fixture)
            let notAtAll = try crashed(fixture, "none")
            let reader = try DatabaseQueue(path: fixture.path, configuration: LedgerDatabase.readerConfiguration)
            try await reader.read { db in _ = try LedgerHead.read(db) }
            try await checkpoint(fixture, "PASSIVE")
            try await sell(5, fixture)
            let half = try crashed(fixture, "half")
            try await checkpoint(fixture, "PASSIVE")
            let whole = try crashed(fixture, "whole")
            // The log restarts, overwriting its content.
            try await checkpoint(fixture, "RESTART")
            try await sell(1, fixture)
            let again = try crashed(fixture, "again")
            try reader.close()
            for (path, orders) in [(notAtAll, 5), (half, 10), (whole, 10), (again, 11)] {
                #expect(try finding(path) == .belongs, "\(path)")
                let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
                #expect(try await ledger.orderCount() == orders)
                #expect(try await ledger.check().isSound)
                try ledger.close()
            }
        }
    }

    @Test(
        "of a later state is refused, whichever role opened it before and whatever its times are",
        arguments: [LedgerDatabase.Role.consumer, .tool, .reader])
    func stranger(_ role: LedgerDatabase.Role) async throws {
        try await withLedger { fixture async throws in
            try await sell(3, fixture)
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            try await sell(100, fixture)
            try await checkpoint(fixture, "TRUNCATE")
            try await sell(3, fixture)
            let path = try crashed(fixture, "mixed", file: backup)
            // As root, SQLite changes the times of a log even if it only opens it.
            let queue = try DatabaseQueue(path: path, configuration: LedgerDatabase.readerConfiguration)
            _ = try await queue.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM orders") }
            try queue.close()
            let future = [timeval(tv_sec: time(nil) + 9, tv_usec: 0), timeval(tv_sec: time(nil) + 9, tv_usec: 0)]
            utimes(path + "-wal", future)
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            await #expect(throws: SQLiteLedgerError.mixed(path: path)) {
                try await LedgerDatabase.open(at: path, store: "main", for: role)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            // Restoring recognises this, and keeps both.
            let restoring = try await SQLiteRestoration.prepare(from: backup, to: path, store: "main") { _ in }
            #expect(restoring.replaced == .damaged)
            let kept = try #require(try restoring.takePlace())
            #expect(FileManager.default.fileExists(atPath: kept + "-wal"))
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: role)
            #expect(try await ledger.orderCount() == 3)
            try ledger.close()
        }
    }

    // writer:  raise | raise | checkpoint, the log restarts | raise | …
    // reader:     open | open | open …                  each finds that they belong together
    @Test("that a writer restarts all the time is not foreign to readers that open the ledger")
    func readersBesideWriter() async throws {
        try await withLedger { fixture async throws in
            let isDone = Mutex(false)
            async let writing: Void = {
                while !isDone.withLock({ $0 }) {
                    for _ in 0..<3 { try await fixture.ledger.raiseEpoch() }
                    // Beside a reader it may not get far enough to restart the log.
                    _ = try await fixture.ledger.writeWithoutTransaction { db in
                        try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")
                    }
                }
            }()
            for _ in 0..<300 {
                let reader = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .reader)
                try reader.close()
            }
            isDone.withLock { $0 = true }
            try await writing
        }
    }

    @Test("that continues from a backup made after it began completes the ledger")
    func backupWithin() async throws {
        try await withLedger { fixture async throws in
            try await checkpoint(fixture, "TRUNCATE")
            try await sell(3, fixture)
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            try await sell(3, fixture)
            let path = try crashed(fixture, "whole", file: backup)
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.orderCount() == 6)
            #expect(try await ledger.check().isSound)
            try ledger.close()
        }
    }

    @Test("of another ledger is refused")
    func otherLedger() async throws {
        try await withLedger { fixture async throws in
            try await sell(3, fixture)
            // Otherwise the log holds every page, and turns any file of a new ledger into this one.
            try await checkpoint(fixture, "TRUNCATE")
            try await sell(3, fixture)
            let other = fixture.folder.path(of: "other")
            try await LedgerDatabase.create(at: other, store: "main")
            let path = try crashed(fixture, "mixed", file: other)
            await #expect(throws: SQLiteLedgerError.self) {
                try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            }
        }
    }
}
