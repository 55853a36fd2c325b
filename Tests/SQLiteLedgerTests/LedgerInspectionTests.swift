import Foundation
import GRDB
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

/// Finding damaged pages without reading everything at once.
@Suite("Inspecting a ledger for damage")
struct LedgerInspectionTests {
    /// A closed ledger with 2,000 orders and 200 dead letters, its log checkpointed.
    private func filled(_ fixture: LedgerFixture) async throws {
        for first in stride(from: 0, to: 2_000, by: 500) {
            var seq = try await fixture.ledger.head().seq
            var records: [BatchRecord<DecidedCommand>] = []
            for number in first..<(first + 500) {
                let id = Identifier("o\(number)")
                if number % 5 == 0 {
                    records.append(order(id, [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)))
                } else {
                    seq += 1
                    records.append(order(id, [("sheet", nil, 1)], .accepted(seq: seq)))
                }
            }
            try await fixture.record(records)
        }
        let payload = [UInt8](repeating: 7, count: 3_000)
        var letters: [BatchRecord<DecidedCommand>] = []
        for number in 0..<200 { letters.append(deadLetter("1-\(number)", payload: payload)) }
        try await fixture.record(letters)
        try fixture.ledger.close()
    }

    private func inspect(_ path: String) async throws {
        var inspection = try await SQLiteInspection.begin(at: path, rowsAtOnce: 100)
        defer { inspection.close() }
        while !inspection.isDone { try await inspection.readNext() }
    }

    @Test("finds nothing in a sound one, in slices and while it is written")
    func sound() async throws {
        try await withLedger { fixture async throws in
            try await filled(fixture)
            let ledger = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .consumer)
            try await inspect(fixture.path)
            var inspection = try await SQLiteInspection.begin(at: fixture.path, rowsAtOnce: 100)
            while !inspection.isDone {
                try await inspection.readNext()
                // Between slices the log can be truncated.
                try await ledger.raiseEpoch()
                let rest = try await ledger.writeWithoutTransaction { db in
                    try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                }
                #expect(rest == 0)
            }
            inspection.close()
            try ledger.close()
        }
    }

    @Test("finds every damaged page of a table or an index")
    func everyPage() async throws {
        try await withLedger { fixture async throws in
            try await filled(fixture)
            let path = fixture.path
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let pages = try pagesInUse(path)
            #expect(pages.count > 200)
            for page in pages {
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                let range = (page - 1) * 4_096..<page * 4_096
                try file.seek(toOffset: UInt64(range.lowerBound))
                try file.write(contentsOf: Data(count: 4_096))
                await #expect(throws: SQLiteLedgerError.self, "page \(page)") { try await inspect(path) }
                try file.seek(toOffset: UInt64(range.lowerBound))
                try file.write(contentsOf: whole[range])
                try file.close()
            }
            try await inspect(path)
        }
    }

    @Test("finishes after a few slices, however far apart the keys are")
    func distantKeys() async throws {
        try await withLedger { fixture async throws in
            try fixture.ledger.close()
            let queue = try DatabaseQueue(path: fixture.path)
            try await queue.write { db in
                for epoch in [1_000, 1 << 50, Int64.max] {
                    try db.execute(
                        sql: "INSERT INTO epochs VALUES (?, 'r', 0, 0, 0, '2026-11-22T10:00:00.000Z')",
                        arguments: [epoch])
                }
            }
            try queue.close()
            var inspection = try await SQLiteInspection.begin(at: fixture.path, rowsAtOnce: 100)
            defer { inspection.close() }
            var slices = 0
            while !inspection.isDone, slices < 100 {
                try await inspection.readNext()
                slices += 1
            }
            #expect(inspection.isDone)
        }
    }

    @Test("finds a damaged freelist by a read of the whole file")
    func freePages() async throws {
        try await withLedger { fixture async throws in
            try await filled(fixture)
            let path = fixture.path
            let queue = try DatabaseQueue(path: path)
            try await queue.write { db in try db.execute(sql: "DELETE FROM dead_letters") }
            try await queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                #expect(try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 > 100)
            }
            try queue.close()
            func readWhole() async throws {
                let inspection = try await SQLiteInspection.begin(at: path, rowsAtOnce: 100)
                defer { inspection.close() }
                try await inspection.readWhole()
            }
            try await readWhole()
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 32)
            let trunk = try #require(try file.read(upToCount: 4)).reduce(0) { $0 << 8 | UInt64($1) }
            try file.seek(toOffset: (trunk - 1) * 4_096)
            try file.write(contentsOf: Data(repeating: 0xFF, count: 4_096))
            try file.close()
            await #expect(throws: SQLiteLedgerError.self) { try await readWhole() }
        }
    }

    /// The pages of all tables and indexes, except those that hold only the end of a long value, as their content is
    /// arbitrary.
    private func pagesInUse(_ path: String) throws -> [Int] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { db in
            try Int.fetchAll(db, sql: "SELECT pageno FROM dbstat WHERE pagetype != 'overflow' ORDER BY pageno")
        }
    }

    @Test("starts with the pages that recording touches")
    func hotParts() async throws {
        try await withLedger { fixture async throws in
            try await filled(fixture)
            let path = fixture.path
            func root(_ name: String) throws -> UInt64 {
                let queue = try DatabaseQueue(path: path)
                defer { try? queue.close() }
                return try queue.read { db in
                    try UInt64.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [name])
                } ?? 0
            }
            func readHotParts() async throws {
                let inspection = try await SQLiteInspection.begin(at: path, rowsAtOnce: 100)
                defer { inspection.close() }
                #expect(inspection.isSmall)
                try await inspection.readHotParts()
            }
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            for (name, isHot) in [
                ("product_counters", true), ("sqlite_autoindex_journal_1", true),
                ("catalogue_variants_product_id", false),
            ] {
                let offset = (try root(name) - 1) * 4_096
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                try file.seek(toOffset: offset)
                try file.write(contentsOf: Data(count: 4_096))
                try file.close()
                if isHot {
                    await #expect(throws: SQLiteLedgerError.self, "\(name)") { try await readHotParts() }
                } else {
                    try await readHotParts()
                }
                try whole.write(to: URL(fileURLWithPath: path))
            }
        }
    }
}
