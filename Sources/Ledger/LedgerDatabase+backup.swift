import GRDB
import Inventory

/// How far the making of a copy is.
package enum CopyProgress: Sendable {
    case copying(done: Int64, of: Int64)
    /// The copy is read whole.
    case checking
}

/// A copy that was made, and checked.
package struct LedgerCopy: Sendable {
    package var bytes: Int64
    package var check: LedgerCheck
}

extension LedgerDatabase {
    /// Copies the ledger as it is at this moment into one new file, while it is being written, and checks the copy.
    ///
    /// The file has its name only when it is whole, sound and on disk. Until then it is `path`.partial.
    package func backUp(
        to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        if LedgerFile.isThere(path) { throw LedgerError.copyExists(path: path) }
        let partial = try PartialFile(path + ".partial")
        do {
            let copy = try await self.copy(into: partial, progress: progress)
            guard copy.check.isSound else { throw LedgerError.unsound(path: self.path, action: "backing up") }
            try partial.take(path, replacing: false)
            return copy
        } catch {
            partial.remove()
            throw error
        }
    }

    /// Pages between two reports: some 16 MiB.
    private static let pagesPerStep: CInt = 4_000

    /// Copies the pages of one moment, and reads what came of it whole.
    func copy(
        into file: PartialFile, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        let path = file.path
        do {
            let target = try SQLiteFile.open(path, Self.copyConfiguration)
            try await read { db in
                // The first read fixes the moment. Without one SQLite would take another for each step, and begin
                // again whenever somebody has written.
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
                // The copy says that it has a log, as its original does. One file is easier to carry about.
                try target.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = DELETE") }
                try target.close()
                return try Self.checkCopy(path)
            }
            try file.sync()
            return copy
        } catch {
            throw LedgerError.wrapping(error, path: path, action: "copying")
        }
    }

    private static func checkCopy(_ path: String) throws -> LedgerCopy {
        let queue = try SQLiteFile.open(path, readerConfiguration)
        let check = try queue.inDatabase { db in
            guard try String.fetchOne(db, sql: "PRAGMA journal_mode") == "delete" else {
                throw LedgerError.cannotWrite(path: path, reason: "it could not be made one file")
            }
            return try rollingBack(db, sound)
        }
        try queue.close()
        return LedgerCopy(bytes: LedgerFile.size(of: path), check: check)
    }

    /// Nobody relies on the copy before it is on disk as a whole.
    private static var copyConfiguration: Configuration {
        var configuration = Configuration()
        configuration.label = "ledger.copy"
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = OFF") }
        return configuration
    }
}
