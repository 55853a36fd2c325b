import Concurrency
import GRDB
import Domain
import Ledger
import Files

extension LedgerDatabase {
    /// Backs up the ledger. The copy is called `path`.partial until it is complete.
    func backUp(
        to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        if LedgerFile.exists(path) { throw SQLiteLedgerError.copyExists(path: path) }
        let partial = try PartialFile(path + ".partial")
        do {
            let copy = try await self.copy(into: partial, progress: progress)
            guard copy.check.isSound else { throw SQLiteLedgerError.unsound(path: self.path, action: "backing up") }
            try partial.take(path, replacing: false)
            return copy
        } catch {
            partial.remove()
            throw error
        }
    }

    /// The number of pages between two progress reports: about 16 MiB.
    private static let pagesPerStep: CInt = 4_000

    /// Copies the pages of one snapshot, and reads back the whole copy.
    func copy(
        into file: PartialFile, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        let path = file.path
        do {
            let target = try SQLiteFile.open(path, Self.copyConfiguration)
            try await read { db in
                // The first read fixes the snapshot. Without it, SQLite would take a new snapshot for each step, and
                // start again after every write.
                _ = try LedgerHead.read(db)
                let pageSize = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
                try target.writeWithoutTransaction { copy in
                    try db.backup(to: copy, pagesPerStep: Self.pagesPerStep) { step in
                        progress(
                            .copying(
                                done: Int64(step.completedPageCount) * pageSize,
                                of: Int64(step.totalPageCount) * pageSize))
                    }
                }
            }
            progress(.checking)
            let copy = try await offCooperativeThreads {
                // The copy is in WAL mode, like the original. A single file is easier to move.
                try target.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = DELETE") }
                try target.close()
                return try Self.checkCopy(path)
            }
            try file.sync()
            return copy
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "copying")
        }
    }

    private static func checkCopy(_ path: String) throws -> LedgerCopy {
        let queue = try SQLiteFile.open(path, readerConfiguration)
        let check = try queue.inDatabase { db in
            guard try String.fetchOne(db, sql: "PRAGMA journal_mode") == "delete" else {
                throw SQLiteLedgerError.cannotWrite(path: path, reason: "it could not be converted to a single file")
            }
            return try rollingBack(db, sound)
        }
        try queue.close()
        return LedgerCopy(bytes: LedgerFile.size(of: path), check: check)
    }

    /// Without syncing: nothing depends on the copy until all of it is on disk.
    private static var copyConfiguration: Configuration {
        var configuration = Configuration()
        configuration.label = "ledger.copy"
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = OFF") }
        return configuration
    }
}
