import Concurrency
import GRDB
import Glibc
import Files

extension LedgerDatabase {
    /// Deletes the ledger's files, unless another process has them open.
    package static func drop(at path: String) async throws {
        try await requireUnused(path)
        try await offCooperativeThreads {
            for file in [path] + LedgerFile.companions(of: path) where FilePath.unlink(file) != 0 && errno != ENOENT {
                throw SQLiteLedgerError.failed(path: path, action: "dropping", reason: String(cString: strerror(errno)))
            }
        }
    }

    /// Throws `SQLiteLedgerError.inUse` if another process has the ledger open, even read-only.
    ///
    /// Leaving write-ahead logging requires exclusive access to the database, so SQLite itself reports whether another
    /// process has it open. The next process that opens it for writing enables write-ahead logging again.
    package static func requireUnused(_ path: String) async throws {
        guard exists(at: path) else { throw SQLiteLedgerError.missing(path: path) }
        try await offCooperativeThreads {
            try LedgerReplacement.finish(at: LedgerFile.resolved(path))
            do {
                var configuration = Configuration()
                configuration.busyMode = .immediateError
                let queue = try SQLiteFile.open(path, configuration)
                try queue.inDatabase { db in
                    guard try Int64.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
                        throw SQLiteLedgerError.notALedger(
                            path: path, reason: "it is a SQLite database of another program")
                    }
                    guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
                        throw SQLiteLedgerError.inUse(path: path, action: "dropping")
                    }
                }
                try queue.close()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                throw SQLiteLedgerError.inUse(path: path, action: "dropping")
            } catch {
                throw SQLiteLedgerError.wrapping(error, path: path, action: "dropping")
            }
        }
    }
}
