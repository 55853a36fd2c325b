import Concurrency
import Failpoints
import GRDB
import Glibc
import Domain
import Ledger
import Files

/// A checked copy of a backup beside the ledger, ready to take its place.
///
/// 1. `prepare` locks the ledger exclusively until the end, copies the backup and checks the copy. Nothing has changed
///    yet, except that the log of a readable ledger is checkpointed into its file.
/// 2. `raiseEpoch` raises the copy's epoch, so that the copy is complete when it takes the ledger's place.
/// 3. `takePlace` gives the copy the name that commits the restoration (`LedgerReplacement`), renames the old ledger,
///    and moves the copy to its place. A crash leaves either the old ledger or the new one.
final class SQLiteRestoration: LedgerRestoration {
    let copy: LedgerCopy
    /// The backup's identity.
    let identity: String
    let replaced: ReplacedLedger
    /// The stream id of the newest message that the backup has recorded; `nil` if there is none.
    let newestEntry: StreamID?
    /// The ledger's path, with links resolved.
    let path: String
    private let partial: PartialFile
    /// A connection to the replaced ledger that locks it against all other processes; `nil` if it cannot be read.
    let held: DatabaseQueue?
    /// The damaged marks of the replaced file, described for an operator.
    let damagedMarks: [String]

    var partialPath: String { partial.path }

    private init(
        copy: LedgerCopy, identity: String, replaced: ReplacedFile, newestEntry: StreamID?, path: String,
        partial: PartialFile
    ) {
        self.copy = copy
        self.identity = identity
        self.replaced = replaced.state
        held = replaced.held
        damagedMarks = replaced.damagedMarks
        self.newestEntry = newestEntry
        self.path = path
        self.partial = partial
    }

    /// - Parameters:
    ///   - backup: the path of a ledger of `store`.
    ///   - ledger: the path to restore it to, which need not exist. The caller must hold its lock.
    static func prepare(
        from backup: String, to ledger: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> SQLiteRestoration {
        let path = LedgerFile.resolved(ledger)
        let source = try await open(backup, store: store)
        defer { try? source.close() }
        if LedgerFile.resolved(backup).utf8.elementsEqual(path.utf8) {
            throw SQLiteLedgerError.unfitBackup(path: backup, reason: "it is the ledger itself, not a backup of it")
        }
        let identity = source.identity
        let replaced = try await offCooperativeThreads {
            try LedgerDatabase.refuseUnsafeFileSystem(path)
            try LedgerReplacement.finish(at: path)
            return try ReplacedFile.takeAlone(path, store: store, identity: identity)
        }
        let partial = try PartialFile(path + ".restoring")
        do {
            let copy = try await source.copy(into: partial, progress: progress)
            guard copy.check.isSound else {
                throw SQLiteLedgerError.unfitBackup(
                    path: backup,
                    reason: "it is not sound ('stocktake ledger check --ledger \(backup)' says what is wrong)")
            }
            let newest = try await source.read(newestEntry)
            return SQLiteRestoration(
                copy: copy, identity: source.identity, replaced: replaced, newestEntry: newest, path: path,
                partial: partial)
        } catch {
            partial.remove()
            throw unfit(error, backup)
        }
    }

    private static func open(_ backup: String, store: String) async throws -> LedgerDatabase {
        do {
            return try await LedgerDatabase.openBackup(at: backup, store: store)
        } catch {
            throw unfit(error, backup)
        }
    }

    /// Replaces errors that advise restoring a backup: here the backup itself is unsuitable.
    private static func unfit(_ error: any Error, _ backup: String) -> any Error {
        let reason: String
        switch error as? SQLiteLedgerError {
        case .notALedger(_, let why): reason = why
        case .newerSchema: reason = "it was written by a newer version of Stocktake: restore with that version"
        case .unreleasedSchema: reason = "it was written by a version before the first release, and cannot be migrated"
        case .otherStore(_, let other, let asked): reason = "it belongs to store \"\(other)\", not \"\(asked)\""
        case .damaged(_, _, let why): reason = "it is damaged: \(why)"
        case .mixed: reason = "the log (-wal) beside it belongs to a different state of the ledger"
        default: return error
        }
        return SQLiteLedgerError.unfitBackup(path: backup, reason: reason)
    }

    func raiseEpoch(above epoch: Int64, by: String?) async throws {
        let path = partial.path
        do {
            try await offCooperativeThreads {
                let queue = try SQLiteFile.open(path)
                try queue.write { db in try LedgerDatabase.raiseEpoch(above: epoch, .restore, by: by, db) }
                try queue.close()
            }
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "restoring")
        }
    }

    func takePlace() throws -> String? {
        try partial.take(LedgerReplacement.successor(of: path), replacing: true)
        Failpoint.restoreDecided.pass()
        guard let copy = FilePath.status(of: LedgerReplacement.successor(of: path)) else {
            throw SQLiteLedgerError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        let kept = try LedgerReplacement.complete(path, successor: copy)
        try held?.close()
        return kept
    }

    func abandon() {
        partial.remove()
        try? held?.close()
    }

    /// Rows are in stream order, except for entries that another consumer left behind, which are among the last rows.
    private static func newestEntry(_ db: Database) throws -> StreamID? {
        try String.fetchAll(
            db, sql: "SELECT entry_id FROM journal WHERE entry_id IS NOT NULL ORDER BY position DESC LIMIT 1000"
        ).compactMap { StreamID($0) }.max()
    }
}
