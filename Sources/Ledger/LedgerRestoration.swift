import Failpoints
import GRDB
import Glibc
import Inventory

/// What is in the ledger's place before a backup takes it.
package enum ReplacedLedger: Sendable, Equatable {
    case none
    case readable(identity: String, LedgerHead)
    /// It cannot be read, or does not fit the log beside it; kept as it is.
    case damaged
}

/// A checked copy of a backup beside the ledger, ready to take its place.
///
/// 1. `prepare`: the ledger for oneself alone, the copy, its check. Nothing has changed but that the ledger's log is
///    in its file.
/// 2. `raiseEpoch`, in the copy: when it takes the place, it is all that it must be.
/// 3. `takePlace`: what was there gets a second name, and the copy is renamed over the first. A crash leaves the one
///    or the other.
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

    var partialPath: String { partial.path }

    private init(
        copy: LedgerCopy, identity: String, replaced: ReplacedLedger, newestEntry: EntryPosition?, path: String,
        partial: PartialFile
    ) {
        self.copy = copy
        self.identity = identity
        self.replaced = replaced
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
        let path = resolved(ledger)
        let source = try await LedgerDatabase.openBackup(at: backup, store: store)
        defer { try? source.close() }
        if resolved(backup) == path {
            throw LedgerError.notALedger(path: backup, reason: "it is the ledger itself, not a backup of it")
        }
        let replaced = try await offCooperativeThreads {
            try LedgerDatabase.refuseUnsafeFileSystem(path)
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
        var kept: String?
        if LedgerDatabase.exists(at: path) {
            let name = path + ".replaced-" + Timestamp.now().filter { $0.isNumber || $0.isLetter }
            // A second name where the file system has them, so that at no moment there is no ledger.
            if link(path, name) != 0, rename(path, name) != 0 {
                throw LedgerError.cannotWrite(path: name, reason: String(cString: strerror(errno)))
            }
            kept = name
        }
        // A log that stayed would be laid over the copy. Only a damaged or lost ledger has left one.
        for (companion, suffix) in zip(LedgerFile.companions(of: path), ["-wal", "-shm"])
        where LedgerFile.isThere(companion) {
            guard rename(companion, (kept ?? path + ".replaced") + suffix) == 0 else {
                throw LedgerError.cannotWrite(path: companion, reason: String(cString: strerror(errno)))
            }
        }
        try PartialFile.syncFolder(of: path)
        Failpoint.restoreKept.pass()
        try partial.take(path, replacing: true)
        return kept
    }

    /// Removes the copy: nothing has changed.
    package func abandon() { partial.remove() }

    // MARK: - What was there

    /// Brings the log into the file and ends write-ahead logging, which takes the ledger for oneself alone.
    private static func takeAlone(_ path: String, store: String) throws -> ReplacedLedger {
        guard LedgerDatabase.exists(at: path) else { return .none }
        if LedgerFile.isFolder(path) { throw LedgerError.cannotOpen(path: path, reason: "it is a folder") }
        if LedgerFile.isNewerThanItsLog(path) { return .damaged }
        do {
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let found = try queue.inDatabase { db -> ReplacedLedger in
                try LedgerDatabase.checkIsLedger(db, path: path)
                let row = try Row.fetchOne(db, sql: "SELECT identity, store FROM ledger")
                let (identity, owner): (String, String) = row.map { ($0[0], $0[1]) } ?? ("", store)
                if owner != store { throw LedgerError.otherStore(path: path, store: owner, asked: store) }
                guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
                    throw LedgerError.inUse(path: path, action: "restoring")
                }
                return .readable(identity: identity, try LedgerHead.read(db))
            }
            try queue.close()
            return found
        } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_BUSY: throw LedgerError.inUse(path: path, action: "restoring")
            case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR: return .damaged
            default: throw LedgerError.wrapping(error, path: path, action: "restoring")
            }
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Rows stand in the order of the stream.
    private static func newestEntry(_ db: Database) throws -> EntryPosition? {
        try ["orders", "cancellations", "adjustments", "dead_letters"].compactMap { table in
            try String.fetchOne(db, sql: "SELECT entry_id FROM \(table) ORDER BY rowid DESC LIMIT 1")
                .flatMap { EntryPosition($0) }
        }.max()
    }
}
