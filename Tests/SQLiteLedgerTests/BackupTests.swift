import Foundation
import GRDB
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

/// Backups of a ledger, and restoring them.
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
    ) async throws -> SQLiteRestoration {
        try await SQLiteRestoration.prepare(from: backup, to: path, store: store) { _ in }
    }

    @Test(
        "A ledger is opened even if a crash interrupted SQLite's change to or from write-ahead logging",
        arguments: ["reader", "tool"])
    func unfinishedChange(_ role: String) async throws {
        try await withLedger { fixture async throws in
            let path = fixture.path
            try fixture.ledger.close()
            let left = fixture.folder.path(of: "left.sqlite")
            let queue = try DatabaseQueue(path: path)
            try await queue.writeWithoutTransaction { db in
                // Without fsync, so the journal is written before the page is.
                try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE")
                try db.execute(sql: "UPDATE ledger SET refused = refused + 1")
                for suffix in ["", "-journal"] {
                    try FileManager.default.copyItem(atPath: path + suffix, toPath: left + suffix)
                }
                try db.execute(sql: "ROLLBACK")
            }
            try queue.close()
            let opened = try await LedgerDatabase.open(
                at: left, store: "main", for: role == "reader" ? .reader : .tool)
            #expect(try await opened.check().isSound)
            try opened.close()
        }
    }

    @Test("A backup is one sound file from one snapshot, accessible to its owner only")
    func backup() async throws {
        try await withLedger { fixture async throws in
            try await sell(50, from: 0, fixture)
            let path = fixture.folder.path(of: "backup")
            // Left behind by an interrupted run.
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
            await #expect(throws: SQLiteLedgerError.copyExists(path: path)) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test("A complete backup that a crash left under both names is not emptied by the next run")
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
            await #expect(throws: SQLiteLedgerError.copyUnderWay(path: path + ".partial")) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test("An inconsistent ledger is not backed up")
    func unsound() async throws {
        try await withLedger { fixture async throws in
            try fixture.tamper("UPDATE product_counters SET sold_quantity = 1 WHERE id = 'sheet'")
            let path = fixture.folder.path(of: "backup")
            await #expect(throws: SQLiteLedgerError.unsound(path: fixture.path, action: "backing up")) {
                try await fixture.ledger.backUp(to: path) { _ in }
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
        }
    }

    @Test("A backup replaces the ledger, at a higher epoch, and the replaced one is kept whole")
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
            // The fixture's own connections count as another process' use of the ledger.
            await #expect(throws: SQLiteLedgerError.inUse(path: path, action: "restoring")) {
                try await restoration(backup, path)
            }
            try fixture.ledger.close()
            let restoring = try await restoration(backup, path)
            guard case .readable(_, let replaced) = restoring.replaced else {
                Issue.record("\(restoring.replaced)")
                return
            }
            #expect(replaced.seq == 7 && replaced.position == 9)
            let missing = try #require(try await restoring.missing())
            #expect(missing.commands == [.placeOrder: 4] && missing.deadLetters == 1 && missing.isWhole)
            #expect(missing.erased == ["o1"])
            #expect(missing.entries.map(\.text) == ["20-0"])
            // Until it is done no other process can open the ledger.
            await #expect(throws: SQLiteLedgerError.locked(path: path)) {
                try await LedgerDatabase.open(at: path, store: "main", for: .reader)
            }
            try await restoring.raiseEpoch(above: 7, by: nil)
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

    private func unfit(_ backup: String, _ reason: String) -> SQLiteLedgerError {
        .unfitBackup(path: backup, reason: reason)
    }

    @Test("A file that is not a sound ledger of the store is not restored")
    func unfit() async throws {
        try await withLedger { fixture async throws in
            let backup = fixture.folder.path(of: "backup")
            _ = try await fixture.ledger.backUp(to: backup) { _ in }
            let path = fixture.path
            try fixture.ledger.close()
            await #expect(throws: unfit(backup, #"it belongs to store "main", not "other""#)) {
                try await restoration(backup, path, store: "other")
            }
            let foreign = fixture.folder.path(of: "foreign")
            try await LedgerDatabase.create(at: foreign, store: "other")
            await #expect(
                throws: SQLiteLedgerError.notReplaced(
                    path: foreign, reason: #"it belongs to store "other", not "main""#)
            ) {
                try await restoration(backup, foreign)
            }
            let queue = try DatabaseQueue(path: backup)
            try await queue.write { db in try db.execute(sql: "UPDATE product_counters SET sold_quantity = 1") }
            try queue.close()
            await #expect(
                throws: unfit(
                    backup, "it is not sound ('stocktake ledger check --ledger \(backup)' says what is wrong)")
            ) {
                try await restoration(backup, path)
            }
            try fixture.folder.write(String(repeating: "no database\n", count: 500), to: "backup")
            await #expect(throws: unfit(backup, "it is not a SQLite database")) {
                try await restoration(backup, path)
            }
            #expect(!FileManager.default.fileExists(atPath: path + ".restoring"))
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.check().isSound)
            try ledger.close()
        }
    }

    @Test("A damaged or lost ledger is replaced as well, and its log is not applied to the backup")
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
            #expect(try await first.missing() == nil)
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

    /// The ledger with `count` orders, then `more` after its backup; closed, with its log checkpointed.
    private func ledgerWithBackup(_ fixture: LedgerFixture, more: Int) async throws -> (path: String, backup: String) {
        let backup = fixture.folder.path(of: "backup")
        for first in stride(from: 0, to: 400, by: 100) {
            var seq = try await fixture.ledger.head().seq
            var records: [BatchRecord<DecidedCommand>] = []
            for number in first..<(first + 100) {
                seq += 1
                records.append(order(Identifier("o\(number)"), [("sheet", nil, 1)], .accepted(seq: seq)))
            }
            try await fixture.record(records)
        }
        _ = try await fixture.ledger.backUp(to: backup) { _ in }
        try await sell(more, from: 400, fixture)
        try fixture.ledger.close()
        return (fixture.path, backup)
    }

    @Test("A ledger is replaced whichever page of it is damaged, and restore reports what it could not compare")
    func anyPage() async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await ledgerWithBackup(fixture, more: 5)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let pages = whole.count / 4_096
            #expect(pages > 50)
            var unread = 0
            for page in 0..<pages {
                var damaged = whole
                damaged.replaceSubrange(page * 4_096..<(page + 1) * 4_096, with: Data(count: 4_096))
                try damaged.write(to: URL(fileURLWithPath: path))
                let restoring = try await restoration(backup, path)
                if let missing = try await restoring.missing() {
                    #expect(missing.isWhole ? missing.rows == 5 : missing.rows <= 5, "page \(page)")
                    if !missing.isWhole { unread += 1 }
                } else {
                    #expect(restoring.replaced == .damaged)
                }
                let kept = try #require(try restoring.takePlace())
                #expect(try Data(contentsOf: URL(fileURLWithPath: kept)).count == whole.count)
                try FileManager.default.removeItem(atPath: kept)
            }
            #expect(unread > 5)
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.check().isSound)
            try ledger.close()
        }
    }

    @Test("A ledger that has silently lost rows is not reported as complete")
    func lostRows() async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await ledgerWithBackup(fixture, more: 5)
            let queue = try DatabaseQueue(path: path)
            try await queue.write { db in
                try db.execute(
                    sql: """
                        DELETE FROM order_lines; DELETE FROM order_customers;
                        DELETE FROM order_details WHERE number > 400; DELETE FROM journal WHERE number > 400
                        """)
            }
            try queue.close()
            let restoring = try await restoration(backup, path)
            let missing = try #require(try await restoring.missing())
            #expect(missing.rows == 0 && missing.unread == ["5 of 406 rows"])
            restoring.abandon()
        }
    }

    /// Damage of a ledger's head, and what restore reports about it.
    private static let heads: [(String, [String])] = [
        ("UPDATE ledger SET store = 'mbin'", ["its store's name"]),
        ("PRAGMA application_id = 7", ["its mark (application_id)"]),
        ("UPDATE grdb_migrations SET identifier = '1-jourfal'", ["the list of its tables"]),
        ("UPDATE grdb_migrations SET identifier = x'FF'", ["the list of its tables"]),
        (
            "UPDATE ledger SET store = x'FF'; PRAGMA application_id = 0; UPDATE grdb_migrations SET identifier = ''",
            // SQLite's own check finds the bytes in a text column.
            [
                "its mark (application_id)", "its store's name", "the list of its tables", "rows on damaged pages",
            ]
        ),
    ]

    @Test(
        "A ledger is replaced whatever part of its head is damaged, and everything else is compared",
        arguments: heads)
    func damagedHead(_ sql: String, _ said: [String]) async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await ledgerWithBackup(fixture, more: 5)
            // Like a flipped bit, with values that the table would reject.
            try fixture.tamper(
                """
                PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'ledger'
                """)
            try fixture.tamper(sql)
            try fixture.tamper(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'ledger'")
            let error = await #expect(throws: SQLiteLedgerError.self) {
                try await LedgerDatabase.open(at: path, store: "main", for: .reader)
            }
            #expect("\(error as (any Error)?)".contains("'stocktake ledger restore FILE'"))
            let restoring = try await restoration(backup, path)
            let missing = try #require(try await restoring.missing())
            #expect(missing.rows == 5)
            #expect(missing.unread.starts(with: said), "\(missing.unread)")
            _ = try restoring.takePlace()
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.orderCount() == 400)
            try ledger.close()
        }
    }

    @Test(
        "A file that is not the backup's ledger is left unchanged until it is moved away",
        arguments: ["other store", "other program", "newer version"])
    func notReplaced(_ what: String) async throws {
        try await withLedger { fixture async throws in
            let (own, backup) = try await ledgerWithBackup(fixture, more: 1)
            var path = fixture.folder.path(of: what)
            switch what {
            case "other store": try await LedgerDatabase.create(at: path, store: "other")
            case "other program":
                let queue = try DatabaseQueue(path: path)
                try await queue.write { db in try db.execute(sql: "CREATE TABLE ledger (id INTEGER PRIMARY KEY)") }
                try queue.close()
            default:
                path = own
                try fixture.tamper("INSERT INTO grdb_migrations (identifier) VALUES ('99-future')")
            }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            let error = await #expect(throws: SQLiteLedgerError.self) { try await restoration(backup, path) }
            guard case .notReplaced = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            // The remedy that the error names.
            for suffix in ["", "-wal"] { _ = rename(path + suffix, fixture.folder.path(of: "away") + suffix) }
            _ = try await restoration(backup, path).takePlace()
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            #expect(try await ledger.orderCount() == 400)
            try ledger.close()
        }
    }

    @Test("A ledger that is no longer recognisable is replaced if its file is damaged")
    func damagedBeyondRecognition() async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await ledgerWithBackup(fixture, more: 1)
            try fixture.tamper("DROP TABLE ledger; PRAGMA application_id = 7")
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 30 * 4_096)
            try file.write(contentsOf: Data(count: 4_096))
            try file.close()
            let restoring = try await restoration(backup, path)
            #expect(restoring.replaced == .damaged)
            restoring.abandon()
        }
    }

    /// A ledger beside a crashed process' log that SQLite cannot apply, because the file's head is damaged.
    private func damageBesideLog(_ fixture: LedgerFixture) async throws -> (path: String, backup: String) {
        let backup = fixture.folder.path(of: "backup")
        try await sell(3, from: 0, fixture)
        _ = try await fixture.ledger.backUp(to: backup) { _ in }
        try await sell(2, from: 3, fixture)
        let path = fixture.folder.path(of: "crashed")
        try FileManager.default.copyItem(atPath: fixture.path, toPath: path)
        try FileManager.default.copyItem(atPath: fixture.path + "-wal", toPath: path + "-wal")
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: Data(repeating: 7, count: 4_096))
        try file.close()
        return (path, backup)
    }

    @Test("The next process to open the ledger completes a replacement, and the old log is not applied to it")
    func succession() async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await damageBesideLog(fixture)
            let (file, log) = (
                try Data(contentsOf: URL(fileURLWithPath: path)),
                try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
            )
            // As a crash right after the decision leaves it; a later crash leaves less to do.
            try FileManager.default.copyItem(atPath: backup, toPath: LedgerReplacement.successor(of: path))
            for step in 0..<2 {
                if step == 1 {
                    #expect(rename(path, LedgerReplacement.successor(of: path)) == 0)
                    #expect(!FileManager.default.fileExists(atPath: path) && LedgerDatabase.exists(at: path))
                }
                let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .reader)
                #expect(try await ledger.orderCount() == 3)
                try ledger.close()
                #expect(!LedgerReplacement.isUnfinished(at: path))
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
            let kept = try #require(names.first { $0.hasPrefix("crashed.replaced-") && $0.hasSuffix("Z") })
            #expect(try Data(contentsOf: fixture.folder.url(of: kept)) == file)
            #expect(try Data(contentsOf: fixture.folder.url(of: kept + "-wal")) == log)
        }
    }

    @Test("A ledger that another process reads is not replaced, even if it is damaged")
    func readElsewhere() async throws {
        try await withLedger { fixture async throws in
            let (path, backup) = try await damageBesideLog(fixture)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: backup, toPath: path)
            try FileManager.default.removeItem(atPath: path + "-wal")
            let shell = try ChildProcess(
                "sqlite3", [path],
                standardInput: "PRAGMA journal_mode = WAL; SELECT store FROM ledger;\n.shell echo open; exec sleep 60\n"
            )
            try await shell.waitForLine(containing: "open")
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: Data(repeating: 7, count: 4_096))
            try file.close()
            await #expect(throws: SQLiteLedgerError.inUse(path: path, action: "restoring")) {
                try await restoration(backup, path)
            }
            try await shell.kill()
            let restoring = try await restoration(backup, path)
            #expect(restoring.replaced == .damaged)
            restoring.abandon()
        }
    }
}
