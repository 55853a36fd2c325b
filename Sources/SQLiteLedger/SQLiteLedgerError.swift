import GRDB
import Ledger
import Files

/// Why an operation on a SQLite ledger failed. Each text states what failed, on what, why, and what to do.
package enum SQLiteLedgerError: LedgerError, Equatable {
    /// There is no file.
    case missing(path: String)
    /// A new ledger was requested, but the file exists already.
    case alreadyExists(path: String)
    /// The file cannot be opened or created.
    case cannotOpen(path: String, reason: String)
    /// The file is not a SQLite database, or not a ledger.
    case notALedger(path: String, reason: String)
    /// The file was written by a newer version of the program.
    case newerSchema(path: String)
    case unreleasedSchema(path: String)
    /// The ledger belongs to another store.
    case otherStore(path: String, store: String, asked: String)
    /// The file is on a file system that does not provide what SQLite depends on.
    case networkFileSystem(path: String, kind: String)
    /// A setting that durability depends on did not take effect.
    case notDurable(path: String, setting: String, value: String)
    /// Another process has the file open.
    case inUse(path: String, action: String)
    /// The path no longer leads to the open file.
    case replaced(path: String)
    /// The file and the log beside it do not belong together.
    case mixed(path: String)
    /// A page cannot be read, or does not contain what SQLite wrote there.
    case damaged(path: String, action: String, reason: String)
    /// Another process held the write lock for too long.
    case locked(path: String)
    /// The disk is full.
    case diskFull(path: String)
    /// A file exists at the path of the copy to be made.
    case copyExists(path: String)
    /// Another process is making the same copy.
    case copyUnderWay(path: String)
    /// A copy cannot be written.
    case cannotWrite(path: String, reason: String)
    /// The file in the ledger's place is not the ledger that the backup should replace.
    case notReplaced(path: String, reason: String)
    /// The backup is unsuitable for restoring.
    case unfitBackup(path: String, reason: String)
    /// The lock file beside the ledger cannot be used.
    case lock(path: String, reason: String)
    /// The state of the ledger does not allow the requested operation; nothing was changed.
    indirect case refused(SQLiteLedgerError)
    /// The content is inconsistent.
    case unsound(path: String, action: String)
    /// Reading or writing failed.
    case failed(path: String, action: String, reason: String)

    package var kind: LedgerErrorKind {
        switch self {
        case .locked, .diskFull: .transient
        case .missing: .missing
        case .alreadyExists: .alreadyExists
        case .inUse, .copyUnderWay: .inUse
        case .copyExists, .notReplaced, .unfitBackup, .unsound, .refused: .refused
        case .replaced: .replaced
        case .damaged(_, _, let reason): .damaged(finding: reason)
        case .mixed: .damaged(finding: "the log beside it belongs to a different state")
        case .cannotOpen, .notALedger, .newerSchema, .unreleasedSchema, .otherStore, .networkFileSystem, .notDurable,
            .cannotWrite, .lock,
            .failed:
            .failed
        }
    }

    package var description: String {
        switch self {
        case .missing(let path):
            "opening the ledger failed: on \(path): there is no such file. Create one with 'stocktake ledger create' or 'stocktake sync'; if it was lost, 'stocktake ledger restore FILE' puts a backup in its place."
        case .alreadyExists(let path):
            "creating the ledger failed: on \(path): the file exists. Use the existing ledger, or remove it with 'stocktake ledger drop'."
        case .cannotOpen(let path, let reason):
            "opening the ledger failed: on \(path): \(reason). Check the path, the owner and the permissions of the file and its folder."
        case .notALedger(let path, let reason):
            "opening the ledger failed: on \(path): \(reason). Name the ledger's file with --ledger; if this is the ledger's file, 'stocktake ledger restore FILE' puts a backup in its place."
        case .unreleasedSchema(let path):
            "opening the ledger failed: on \(path): it was written by a version before the first release, whose tables cannot be migrated. Create a new ledger, and publish the messages again."
        case .newerSchema(let path):
            "opening the ledger failed: on \(path): it was written by a newer version of Stocktake. Use that version."
        case .otherStore(let path, let store, let asked):
            "opening the ledger failed: on \(path): it belongs to store \"\(store)\", not \"\(asked)\". Name the right ledger with --store or --ledger; if this is the right one, it is damaged: 'stocktake ledger restore FILE' puts a backup in its place."
        case .networkFileSystem(let path, let kind):
            "opening the ledger failed: on \(path): it is on \(kind), where SQLite's log is not safe. Move it to a local disk."
        case .notDurable(let path, let setting, let value):
            "opening the ledger failed: on \(path): \(setting) is \(value), so a power cut could lose orders. Check that the file system is an ordinary local one."
        case .inUse(let path, let action):
            "\(action) the ledger failed: on \(path): another process has it open. Stop that process (run, consume, serve, an open sqlite3), and try again."
        case .replaced(let path):
            """
            using the ledger failed: on \(path): the file was moved, deleted or replaced while it was open, so later writes would be lost. \
            If it was moved, move it back and start again; otherwise 'stocktake ledger restore FILE' puts a backup in its place. Do not copy a file there.
            """
        case .mixed(let path):
            """
            opening the ledger failed: on \(path): the log (-wal) beside the file belongs to a different state of the ledger: the file was copied there or \
            replaced without it. Nothing was changed. 'stocktake ledger restore FILE' puts a backup in place of both, and keeps them.
            """
        case .damaged(let path, let action, let reason):
            "\(action) the ledger failed: on \(path): it is damaged: \(reason). Check the disk, stop the processes that have the ledger open, and put a backup in its place: 'stocktake ledger restore FILE'."
        case .locked(let path):
            "writing the ledger failed: on \(path): another process holds its write lock. End the process or transaction that holds it (an open sqlite3?)."
        case .diskFull(let path):
            "writing the ledger failed: on \(path): the disk is full. Free some space; messages wait in the stream until then."
        case .copyExists(let path):
            "backing up the ledger failed: on \(path): the file exists. Name another file, or move this one away."
        case .copyUnderWay(let path):
            "copying the ledger failed: on \(path): another process is writing it. Wait until it has ended."
        case .cannotWrite(let path, let reason):
            "writing a copy of the ledger failed: on \(path): \(reason). Check the folder, its permissions and the free disk space."
        case .notReplaced(let path, let reason):
            """
            restoring the ledger failed: on \(path): \(reason). Nothing was changed. Name the right ledger with --ledger or --store; \
            to restore a backup here anyway, move this file away, with its log (-wal) if there is one, and restore again.
            """
        case .unfitBackup(let path, let reason):
            "restoring the ledger failed: on \(path): \(reason). Nothing was changed. Name another backup."
        case .lock(let path, let reason): FileLockError(path: path, reason: reason).description
        case .refused(let error): error.description
        case .unsound(let path, let action):
            "\(action) the ledger failed: on \(path): it is not sound. 'stocktake ledger check --ledger \(path)' says what is wrong."
        case .failed(let path, let action, let reason):
            "\(action) the ledger failed: on \(path): \(reason). Check the disk; if it has lost part of the ledger, 'stocktake ledger restore FILE' puts a backup in its place."
        }
    }

    /// Returns a description of the damage if a GRDB error reports damage, or `nil` otherwise. It never contains
    /// values.
    static func damage(_ error: any Error) -> String? {
        switch error {
        case let error as DatabaseError where error.isDamage: error.message ?? "\(error.resultCode)"
        case is RowDecodingError: "a column has a value of a different type"
        default: nil
        }
    }

    /// Converts a GRDB error to the error that callers act on. It never contains values of statements.
    static func wrapping(_ error: any Error, path: String, action: String) -> any Error {
        guard let error = error as? DatabaseError else {
            return damage(error).map { SQLiteLedgerError.damaged(path: path, action: action, reason: $0) } ?? error
        }
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: return SQLiteLedgerError.locked(path: path)
        case .SQLITE_FULL: return SQLiteLedgerError.diskFull(path: path)
        // The index of the log (-shm) could not be created: SQLite's other code for a full disk, when opening.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            return SQLiteLedgerError.diskFull(path: path)
        case .SQLITE_NOTADB: return SQLiteLedgerError.notALedger(path: path, reason: "it is not a SQLite database")
        case _ where error.isDamage: return SQLiteLedgerError.damaged(path: path, action: action, reason: reason)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY:
            return SQLiteLedgerError.cannotOpen(path: path, reason: reason)
        default: return SQLiteLedgerError.failed(path: path, action: action, reason: reason)
        }
    }
}

extension DatabaseError {
    /// Whether a page cannot be read, or does not contain what SQLite wrote there. Waiting does not help.
    var isDamage: Bool {
        switch resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: true
        case .SQLITE_IOERR:
            [.SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ, .SQLITE_IOERR_CORRUPTFS].contains(extendedResultCode)
        default: false
        }
    }
}
