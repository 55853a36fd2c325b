import GRDB
import Glibc
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

@Suite("The ledger's file")
struct LedgerFileTests {
    @Test("is in place until its path leads elsewhere, and again when it is moved back")
    func inPlace() async throws {
        try await withLedger { fixture async throws in
            let (file, path) = (fixture.ledger.file, fixture.path)
            let aside = fixture.folder.path(of: "aside")
            #expect(file.isInPlace)
            rename(path, aside)
            #expect(!file.isInPlace)
            // Another file with the same content.
            try await LedgerDatabase.create(at: path, store: "main")
            #expect(!file.isInPlace)
            unlink(path)
            symlink(aside, path)
            #expect(file.isInPlace)
            unlink(path)
            rename(aside, path)
            #expect(file.isInPlace)
            unlink(path)
            #expect(!file.isInPlace)
        }
    }

    @Test("is dropped with everything beside it, and a new ledger can take its place")
    func drop() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(order("o", [("sheet", nil, 1)], .accepted(seq: 1)))
            try fixture.ledger.close()
            try await LedgerDatabase.drop(at: fixture.path)
            for suffix in ["", "-wal", "-shm", "-journal"] {
                #expect(access(fixture.path + suffix, F_OK) != 0, "\(suffix)")
            }
            try await LedgerDatabase.create(at: fixture.path, store: "main")
            let new = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .tool)
            #expect(new.identity != fixture.ledger.identity)
            #expect(try await new.order("o") == nil)
            try new.close()
        }
    }

    @Test("is not dropped while it is open here", arguments: [LedgerDatabase.Role.consumer, .tool, .reader])
    func dropWhileOpen(_ role: LedgerDatabase.Role) async throws {
        try await withLedger { fixture async throws in
            let other = try await LedgerDatabase.open(at: fixture.path, store: "main", for: role)
            try fixture.ledger.close()
            await #expect(throws: SQLiteLedgerError.inUse(path: fixture.path, action: "dropping")) {
                try await LedgerDatabase.drop(at: fixture.path)
            }
            #expect(try await other.head().catalogueVersion == 1)
            try other.close()
            try await LedgerDatabase.drop(at: fixture.path)
        }
    }

    @Test("is not dropped while another process has it open")
    func dropWhileOpenElsewhere() async throws {
        try await withLedger { fixture async throws in
            try fixture.ledger.close()
            let path = fixture.path
            let shell = try ChildProcess(
                "sqlite3", [path], standardInput: "SELECT store FROM ledger;\n.shell echo open; exec sleep 60\n")
            try await shell.waitForLine(containing: "open")
            await #expect(throws: SQLiteLedgerError.inUse(path: path, action: "dropping")) {
                try await LedgerDatabase.drop(at: path)
            }
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .reader)
            #expect(try await ledger.head().catalogueVersion == 1)
            try ledger.close()
            try await shell.kill()
        }
    }

    @Test("is not dropped if it is not a ledger", arguments: ["text", "database", "nothing"])
    func dropStranger(_ what: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.path(of: "it")
            switch what {
            case "text": try folder.write("text", to: "it")
            case "database":
                let queue = try DatabaseQueue(path: path)
                try await queue.write { try $0.execute(sql: "CREATE TABLE t (x)") }
                try queue.close()
            default: break
            }
            let error = await #expect(throws: SQLiteLedgerError.self) { try await LedgerDatabase.drop(at: path) }
            switch (what, error) {
            case ("nothing", .missing), ("text", .notALedger), ("database", .notALedger): break
            default: Issue.record("\(String(describing: error))")
            }
            #expect((access(path, F_OK) == 0) == (what != "nothing"))
        }
    }
}
