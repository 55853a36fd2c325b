import GRDB
import Domain
import Ledger

/// The file that a backup replaces.
struct ReplacedFile {
    var state: ReplacedLedger
    /// A connection that locks the file against all other processes; `nil` if the file cannot be read.
    var held: DatabaseQueue?
    /// The damaged marks of the file, described for an operator.
    var damagedMarks: [String] = []

    /// Checkpoints the log into the file and leaves write-ahead logging, which requires exclusive access to the ledger.
    ///
    /// Readers must have ended as well: they would continue to display the data of the replaced ledger.
    /// - Parameters:
    ///   - store: the store of the backup.
    ///   - identity: the identity of the backup.
    static func takeAlone(_ path: String, store: String, identity: String) throws -> ReplacedFile {
        guard LedgerDatabase.exists(at: path) else { return ReplacedFile(state: .none) }
        if LedgerFile.isFolder(path) { throw SQLiteLedgerError.cannotOpen(path: path, reason: "it is a folder") }
        let inUse = SQLiteLedgerError.inUse(path: path, action: "restoring")
        if LedgerFile.isInUse(path) { throw inUse }
        do {
            try LedgerDatabase.endUnfinishedChange(path)
            if try LedgerDatabase.isMixture(path) { return ReplacedFile(state: .damaged) }
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            let queue = try SQLiteFile.open(path, configuration)
            return try queue.inDatabase { db in
                let marks = try Marks(db)
                let damaged = try marks.damaged(path: path, store: store, identity: identity)
                guard let own = marks.identity,
                    try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete"
                else { throw inUse }
                // Holds the lock until the connection is closed.
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
                return ReplacedFile(
                    state: .readable(identity: own, try LedgerHead.read(db)), held: queue, damagedMarks: damaged)
            }
        } catch let error as SQLiteLedgerError {
            throw error
        } catch {
            switch (error as? DatabaseError)?.resultCode {
            case .SQLITE_BUSY: throw inUse
            // A failing disk is one of the reasons to restore.
            case .SQLITE_ERROR, .SQLITE_IOERR: return ReplacedFile(state: .damaged)
            case _ where SQLiteLedgerError.damage(error) != nil: return ReplacedFile(state: .damaged)
            default: throw SQLiteLedgerError.wrapping(error, path: path, action: "restoring")
            }
        }
    }
}

/// The marks by which a file identifies itself, as far as each can be read.
private struct Marks {
    private let isMarked: Bool
    let identity: String?
    private let store: String?
    private let tables: Schema.SchemaState

    /// Also throws errors about damage, if not even the marks can be read.
    init(_ db: Database) throws {
        isMarked = try Int64.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID
        let row = try db.tableExists("ledger") ? Row.fetchOne(db, sql: "SELECT * FROM ledger") : nil
        identity = try? row?.value("identity")
        store = try? row?.value("store")
        tables = try Schema.standing(db)
        guard identity == nil else { return }
        // A ledger without an identity is damaged, and its mark may be damaged as well. Another program's database
        // contains no damage.
        if try isMarked || !LedgerDatabase.findings(db, "PRAGMA quick_check(1)").isEmpty {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT)
        }
    }

    /// Returns the marks that are damaged. A ledger is recognised by its identity, which is random: if it has the
    /// identity of the backup, it is the backup's ledger, whatever its other marks are.
    ///
    /// Throws `SQLiteLedgerError.notReplaced` if the file must be another store's ledger, a newer version's, or no
    /// ledger at all: damage does not look like these, unless both the store's name and the identity are damaged.
    func damaged(path: String, store: String, identity: String) throws -> [String] {
        func refusal(_ reason: String) -> SQLiteLedgerError { .notReplaced(path: path, reason: reason) }
        guard let own = self.identity else { throw refusal("it is a SQLite database of another program") }
        if let other = self.store, other != store, own != identity {
            throw refusal("it belongs to store \"\(other)\", not \"\(store)\"")
        }
        if tables == .newer {
            throw refusal("it was written by a newer version of Stocktake: restore with that version")
        }
        if tables == .unreleased {
            throw refusal("it was written by a version before the first release: move it away")
        }
        return [
            isMarked ? nil : "its mark (application_id)", self.store == store ? nil : "its store's name",
            tables == .known ? nil : "the list of its tables",
        ].compactMap { $0 }
    }
}
