import GRDB
import Glibc
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

@Suite("Opening a ledger")
struct LedgerOpeningTests {
    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test("A closed ledger throws errors and does not crash the process")
    func closed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.path(of: "ledger.db")
            try await LedgerDatabase.create(at: path, store: "main")
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .tool)
            try ledger.close()
            await #expect(throws: SQLiteLedgerError.self) { try await ledger.head() }
            await #expect(throws: SQLiteLedgerError.self) { try await ledger.raiseEpoch() }
        }
    }

    @Test("A new ledger, its folder and SQLite's files beside it are accessible to the owner only")
    func permissions() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.path(of: "new/ledger.db")
            try await LedgerDatabase.create(at: path, store: "main")
            #expect(mode(folder.path(of: "new")) == 0o700 && mode(path) == 0o600)
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
            _ = try await ledger.raiseEpoch()
            #expect(mode(path + "-wal") == 0o600 && mode(path + "-shm") == 0o600)
            try ledger.close()
        }
    }

    @Test("An empty file from an interrupted creation becomes a ledger that only its owner can access")
    func createOverEmptyFile() async throws {
        try await withTemporaryFolder { folder in
            let path = try folder.write("", to: "ledger.db")
            #expect(!LedgerDatabase.exists(at: path))
            await #expect(throws: SQLiteLedgerError.missing(path: path)) {
                try await LedgerDatabase.open(at: path, store: nil, for: .reader)
            }
            try await LedgerDatabase.create(at: path, store: "main")
            #expect(LedgerDatabase.exists(at: path))
            #expect(mode(path) == 0o600)
        }
    }

    @Test("A new ledger starts at epoch 0, seq 0 and catalogue 0, with its own identity")
    func start() async throws {
        try await withTemporaryFolder { folder in
            var identities: Set<String> = []
            for name in ["a", "b"] {
                try await LedgerDatabase.create(at: folder.path(of: name), store: "store \(name)")
                let ledger = try await LedgerDatabase.open(at: folder.path(of: name), store: nil, for: .reader)
                #expect(ledger.store == "store \(name)")
                #expect(try await ledger.head() == LedgerHead(epoch: 0, seq: 0, position: 0, catalogueVersion: 0))
                #expect(ledger.identity.wholeMatch(of: /[0-9a-f]{32}/) != nil)
                identities.insert(ledger.identity)
                try ledger.close()
            }
            #expect(identities.count == 2)
        }
    }

    @Test(
        "It keeps its identity and its state when it is opened again",
        arguments: [LedgerDatabase.Role.consumer, .tool, .reader])
    func again(_ role: LedgerDatabase.Role) async throws {
        try await withLedger { fixture async throws in
            _ = try await fixture.ledger.raiseEpoch()
            let again = try await LedgerDatabase.open(at: fixture.path, store: "main", for: role)
            #expect(again.identity == fixture.ledger.identity)
            #expect(try await again.head() == LedgerHead(epoch: 1, seq: 0, position: 1, catalogueVersion: 1))
            try again.close()
        }
    }

    @Test("Opened for reading, it cannot be written")
    func readerCannotWrite() async throws {
        try await withLedger { fixture async throws in
            let reader = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .reader)
            await #expect(throws: SQLiteLedgerError.self) { try await reader.raiseEpoch() }
            #expect(try await fixture.ledger.head().epoch == 0)
            try reader.close()
        }
    }

    @Test(
        "It writes through to the disk: write-ahead log, synchronous FULL",
        arguments: [LedgerDatabase.Role.consumer, .tool])
    func durability(_ role: LedgerDatabase.Role) async throws {
        try await withLedger { fixture async throws in
            let ledger = try await LedgerDatabase.open(at: fixture.path, store: "main", for: role)
            let (journal, synchronous, checkpoint, foreignKeys) = try await ledger.write { db in
                (
                    try String.fetchOne(db, sql: "PRAGMA journal_mode"),
                    try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                    try Int.fetchOne(db, sql: "PRAGMA wal_autocheckpoint"),
                    try Int.fetchOne(db, sql: "PRAGMA foreign_keys")
                )
            }
            #expect(journal == "wal" && synchronous == 2)
            // The consumer has found all referenced rows in the same transaction.
            #expect(foreignKeys == (role == .consumer ? 0 : 1))
            // Only the consumer checkpoints the log.
            #expect(checkpoint == (role == .consumer ? 4_000 : 0))
            try ledger.close()
        }
    }

    @Test("An existing file is not overwritten", arguments: ["ledger", "text", "folder"])
    func createOverSomething(_ what: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.path(of: "it")
            switch what {
            case "ledger": try await LedgerDatabase.create(at: path, store: "main")
            case "text": try folder.write("text", to: "it")
            default: mkdir(path, 0o700)
            }
            await #expect(throws: SQLiteLedgerError.alreadyExists(path: path)) {
                try await LedgerDatabase.create(at: path, store: "other")
            }
        }
    }

    @Test("A ledger needs a folder, or one that can be created")
    func createWithoutFolder() async throws {
        try await withTemporaryFolder { folder in
            try folder.write("text", to: "file")
            for path in [folder.path(of: "a/b/ledger.db"), folder.path(of: "file/ledger.db")] {
                let error = await #expect(throws: SQLiteLedgerError.self) {
                    try await LedgerDatabase.create(at: path, store: "main")
                }
                #expect(error?.description.contains(path) == true)
            }
        }
    }

    /// The file at the path, and the start of the error after the path.
    private static let strangers: [(String, String)] = [
        ("nothing", "there is no such file"), ("text", "it is not a SQLite database"),
        ("long text", "it is not a SQLite database"), ("database", "it is a SQLite database of another program"),
        ("folder", "it is a folder"), ("folder's file", "there is no such file"),
    ]

    @Test(
        "A file that is not a ledger is rejected by name, and is left unchanged", arguments: strangers,
        [LedgerDatabase.Role.tool, .reader])
    func isRefused(_ each: (what: String, complaint: String), _ role: LedgerDatabase.Role) async throws {
        try await withTemporaryFolder { folder in
            var path = folder.path(of: "it")
            switch each.what {
            case "text": try folder.write("text", to: "it")
            case "long text": try folder.write(String(repeating: "text ", count: 10_000), to: "it")
            case "database":
                let queue = try DatabaseQueue(path: path)
                try await queue.write { try $0.execute(sql: "CREATE TABLE ledger (identity, store)") }
                try queue.close()
            case "folder": mkdir(path, 0o700)
            case "folder's file":
                try folder.write("text", to: "it")
                path += "/ledger.db"
            default: break
            }
            let before = each.what == "folder" ? [] : bytes(of: path)
            let error = await #expect(throws: SQLiteLedgerError.self) {
                try await LedgerDatabase.open(at: path, store: nil, for: role)
            }
            #expect(error?.description.contains("on \(path): \(each.complaint)") == true, "\(error?.description ?? "")")
            #expect(each.what == "folder" || bytes(of: path) == before)
        }
    }

    private func bytes(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    @Test(
        "An unreadable file is rejected with what to check",
        .enabled(if: geteuid() != 0, "root may read everything"))
    func unreadable() async throws {
        try await withLedger { fixture async throws in
            try fixture.ledger.close()
            chmod(fixture.path, 0)
            let error = await #expect(throws: SQLiteLedgerError.self) {
                try await LedgerDatabase.open(at: fixture.path, store: nil, for: .reader)
            }
            #expect(error?.description.contains("permissions") == true)
        }
    }

    @Test("A ledger of another store is rejected, unless any store is accepted")
    func otherStore() async throws {
        try await withLedger { fixture async throws in
            let path = fixture.path
            for store in ["other", "Main", ""] {
                await #expect(throws: SQLiteLedgerError.otherStore(path: path, store: "main", asked: store)) {
                    try await LedgerDatabase.open(at: path, store: store, for: .tool)
                }
            }
            let any = try await LedgerDatabase.open(at: path, store: nil, for: .reader)
            #expect(any.store == "main")
            try any.close()
        }
    }

    @Test(
        "A ledger of a newer version is rejected by all roles",
        arguments: [LedgerDatabase.Role.consumer, .tool, .reader])
    func newerSchema(_ role: LedgerDatabase.Role) async throws {
        try await withLedger { fixture async throws in
            try fixture.tamper("INSERT INTO grdb_migrations (identifier) VALUES ('99-future')")
            await #expect(throws: SQLiteLedgerError.newerSchema(path: fixture.path)) {
                try await LedgerDatabase.open(at: fixture.path, store: "main", for: role)
            }
        }
    }

    @Test("A ledger without its identity is rejected")
    func noIdentity() async throws {
        try await withLedger { fixture async throws in
            try fixture.tamper("DELETE FROM ledger")
            await #expect(throws: SQLiteLedgerError.notALedger(path: fixture.path, reason: "it has no identity")) {
                try await LedgerDatabase.open(at: fixture.path, store: "main", for: .consumer)
            }
        }
    }
}
