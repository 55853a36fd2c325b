import Failpoints
import GRDB
import Glibc
import Inventory

/// What is in the ledger's place before a backup takes it.
package enum ReplacedLedger: Sendable, Equatable {
    case none
    case readable(identity: String, LedgerHead)
    /// It cannot be opened, or the log beside it is of another state; kept as it is, with its log.
    case damaged
}

/// A checked copy of a backup beside the ledger, ready to take its place.
///
/// 1. `prepare`: the ledger for oneself alone until the end, the copy, its check. Nothing has changed but that the log of
///    a ledger that can be read is in its file.
/// 2. `raiseEpoch`, in the copy: when it takes the place, it is all that it must be.
/// 3. `takePlace`: the copy gets the name that decides (`Succession`), what was there another one, and the copy its place.
///    A crash leaves the one or the other.
package final class LedgerRestoration: Sendable {
    package let copy: LedgerCopy
    /// The backup's.
    package let identity: String
    package let replaced: ReplacedLedger
    /// The last message that the backup has recorded; nil if none.
    package let newestEntry: EntryPosition?
    /// The ledger's path, links resolved.
    package let path: String
    private let partial: PartialFile
    /// The ledger that is replaced, if it can be read: locked against everyone else.
    let held: DatabaseQueue?

    var partialPath: String { partial.path }

    private init(
        copy: LedgerCopy, identity: String, replaced: (state: ReplacedLedger, held: DatabaseQueue?),
        newestEntry: EntryPosition?, path: String, partial: PartialFile
    ) {
        self.copy = copy
        self.identity = identity
        self.replaced = replaced.state
        held = replaced.held
        self.newestEntry = newestEntry
        self.path = path
        self.partial = partial
    }

    /// - Parameters:
    ///   - backup: a ledger of `store`.
    ///   - ledger: where it is to go; there need not be anything. The caller holds its lock.
    package static func prepare(
        from backup: String, to ledger: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerRestoration {
        let path = LedgerFile.resolved(ledger)
        let source = try await LedgerDatabase.openBackup(at: backup, store: store)
        defer { try? source.close() }
        if LedgerFile.resolved(backup) == path {
            throw LedgerError.notALedger(path: backup, reason: "it is the ledger itself, not a backup of it")
        }
        let replaced = try await offCooperativeThreads {
            try LedgerDatabase.refuseUnsafeFileSystem(path)
            try Succession.finish(at: path)
            return try takeAlone(path, store: store)
        }
        let partial = try PartialFile(path + ".restoring")
        do {
            let copy = try await source.copy(into: partial, progress: progress)
            guard copy.check.isSound else { throw LedgerError.unsound(path: backup, action: "restoring") }
            let newest = try await source.read(newestEntry)
            return LedgerRestoration(
                copy: copy, identity: source.identity, replaced: replaced, newestEntry: newest, path: path,
                partial: partial)
        } catch {
            partial.remove()
            throw error
        }
    }

    /// Sets the epoch to at least `epoch`, so that the next one is above every epoch that was ever installed.
    package func raiseEpoch(above epoch: Int64) async throws {
        guard (0...LedgerDatabase.highestEpoch).contains(epoch) else { return }
        let path = partial.path
        do {
            try await offCooperativeThreads {
                let queue = try DatabaseQueue(path: path)
                try queue.write { db in
                    try db.execute(sql: "UPDATE ledger SET epoch = max(epoch, ?)", arguments: [epoch])
                }
                try queue.close()
            }
        } catch {
            throw LedgerError.wrapping(error, path: path, action: "restoring")
        }
    }

    /// Puts the copy in the ledger's place.
    /// - Returns: where that is now which was there before; nil if nothing was.
    package func takePlace() throws -> String? {
        var copy = stat()
        try partial.take(Succession.successor(of: path), replacing: true)
        Failpoint.restoreDecided.pass()
        guard stat(Succession.successor(of: path), &copy) == 0 else {
            throw LedgerError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        let kept = try Succession.complete(path, successor: copy)
        try held?.close()
        return kept
    }

    /// Removes the copy: nothing has changed.
    package func abandon() {
        partial.remove()
        try? held?.close()
    }

    // MARK: - What was there

    /// Brings the log into the file and ends write-ahead logging, which takes the ledger for oneself alone.
    ///
    /// What reads it must have ended as well: it would go on showing the figures of the ledger that is gone.
    private static func takeAlone(
        _ path: String, store: String
    ) throws -> (state: ReplacedLedger, held: DatabaseQueue?) {
        guard LedgerDatabase.exists(at: path) else { return (.none, nil) }
        if LedgerFile.isFolder(path) { throw LedgerError.cannotOpen(path: path, reason: "it is a folder") }
        if LedgerFile.isInUse(path) { throw LedgerError.inUse(path: path, action: "restoring") }
        do {
            try LedgerDatabase.endUnfinishedChange(path)
            if try LedgerDatabase.isMixture(path) { return (.damaged, nil) }
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let found = try queue.inDatabase { db -> ReplacedLedger in
                try LedgerDatabase.checkIsLedger(db, path: path)
                let row = try Row.fetchOne(db, sql: "SELECT identity, store FROM ledger")
                // What is damaged may be of any type.
                guard let row, let identity = String.fromDatabaseValue(row[0]),
                    let owner = String.fromDatabaseValue(row[1])
                else { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
                if owner != store { throw LedgerError.otherStore(path: path, store: owner, asked: store) }
                guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
                    throw LedgerError.inUse(path: path, action: "restoring")
                }
                // Until the connection is closed.
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
                return .readable(identity: identity, try LedgerHead.read(db))
            }
            return (found, queue)
        } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_BUSY: throw LedgerError.inUse(path: path, action: "restoring")
            // A disk that fails is one of the reasons to restore.
            case .SQLITE_ERROR, .SQLITE_IOERR: return (.damaged, nil)
            case _ where error.isDamage: return (.damaged, nil)
            default: throw LedgerError.wrapping(error, path: path, action: "restoring")
            }
        }
    }

    /// Rows stand in the order of the stream.
    private static func newestEntry(_ db: Database) throws -> EntryPosition? {
        try ["orders", "cancellations", "adjustments", "dead_letters"].compactMap { table in
            try String.fetchOne(db, sql: "SELECT entry_id FROM \(table) ORDER BY rowid DESC LIMIT 1")
                .flatMap { EntryPosition($0) }
        }.max()
    }
}
