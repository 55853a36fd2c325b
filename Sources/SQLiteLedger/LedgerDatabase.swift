import Concurrency
import GRDB
import Glibc
import Domain
import Ledger
import Files
import Synchronization

/// An open ledger: the SQLite file that is the source of truth of one store.
///
/// Reads and writes run on GRDB's own queues. Every write is one IMMEDIATE transaction with `synchronous=FULL`. Errors:
/// `SQLiteLedgerError`.
package final class LedgerDatabase: LedgerStore, LedgerAdmin {
    /// The purpose for which a process opens the ledger.
    package enum Role: Sendable {
        /// The active consumer: writes, reads concurrently with its own writes, and is the only process that
        /// checkpoints.
        case consumer
        /// A tool that writes (`sync`). It never checkpoints, because two connections that write and checkpoint can
        /// corrupt a database in SQLite before 3.51.3. The last connection to close does checkpoint, because by then it
        /// is the only one.
        case tool
        /// Reads only.
        case reader
    }

    /// The ledger's identity: a random id, generated when it was created. The counters in Redis carry it.
    package let identity: String
    package let store: String
    let file: LedgerFile
    private let writer: DatabaseQueue?
    private let reader: DatabaseQueue
    private let isClosed = Mutex(false)
    private let lastSeenInPlace = Mutex<ContinuousClock.Instant?>(nil)

    package var path: String { file.path }

    package var name: String { path }

    private init(identity: String, store: String, file: LedgerFile, writer: DatabaseQueue?, reader: DatabaseQueue) {
        self.identity = identity
        self.store = store
        self.file = file
        self.writer = writer
        self.reader = reader
    }

    /// How long SQLite waits for another connection's write lock before it gives up.
    static let busyTimeout: Double = 5

    /// Opens an existing ledger.
    /// - Parameter store: the store it must belong to; `nil` accepts any.
    package static func open(at path: String, store: String?, for role: Role) async throws -> LedgerDatabase {
        try await offCooperativeThreads { try openBlocking(at: path, store: store, for: role) }
    }

    /// Opens a backup for reading; it may be on a file system that is unsafe for writing a ledger.
    static func openBackup(at path: String, store: String) async throws -> LedgerDatabase {
        try await offCooperativeThreads { try openBlocking(at: path, store: store, for: .reader, isBackup: true) }
    }

    /// Creates a ledger for `store`. Only the owner can access the file and its folder, because orders contain
    /// addresses.
    package static func create(at path: String, store: String) async throws {
        try await offCooperativeThreads { try createBlocking(at: path, store: store) }
    }

    /// Whether there is a ledger at `path`. An empty file does not count: an interrupted creation leaves one.
    package static func exists(at path: String) -> Bool {
        LedgerFile.size(of: path) > 0 || LedgerReplacement.isUnfinished(at: LedgerFile.resolved(path))
    }

    package func requireInPlace() async throws {
        if let seen = lastSeenInPlace.withLock({ $0 }), .now - seen < Self.inPlaceIsFresh { return }
        guard await offCooperativeThreads({ [file] in file.isInPlace }) else {
            throw SQLiteLedgerError.replaced(path: path)
        }
    }

    /// Same as `requireInPlace`, which then skips its check for a moment, because the check costs two thread switches.
    private func requireInPlaceNow() throws {
        let isInPlace = file.isInPlace
        lastSeenInPlace.withLock { $0 = isInPlace ? .now : nil }
        if !isInPlace { throw SQLiteLedgerError.replaced(path: path) }
    }

    private static let inPlaceIsFresh = Duration.milliseconds(5)

    /// Closes the writer last: the last connection to close a database checkpoints its log, and a reader cannot.
    package func close() throws {
        isClosed.withLock { $0 = true }
        try reader.close()
        try writer?.close()
    }

    /// Runs `body` in one read transaction, concurrently with writes.
    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try refuseClosed("reading")
        do {
            return try await reader.unsafeRead { db in try Self.inTransaction(.deferred, db) { try body(db) } }
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "reading")
        }
    }

    /// Same as `read`, for a body that continues after a malformed page: SQLite then refuses to commit, even if nothing
    /// was written.
    func readAround<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try refuseClosed("reading")
        do {
            return try await reader.writeWithoutTransaction { db in try Self.rollingBack(db, body) }
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "reading")
        }
    }

    static func rollingBack<T>(_ db: Database, _ body: (Database) throws -> T) throws -> T {
        try db.beginTransaction(.deferred)
        do {
            let result = try body(db)
            try db.rollback()
            return result
        } catch {
            try? db.rollback()
            throw error
        }
    }

    /// Throws if the ledger is closed: after `close`, GRDB would pass SQLite a dangling connection, which crashes the
    /// process. This check does not cover a call that is in progress during `close`; the caller of `close` must ensure
    /// that there is none.
    private func refuseClosed(_ action: String) throws {
        if isClosed.withLock({ $0 }) {
            throw SQLiteLedgerError.failed(path: path, action: action, reason: "it is closed")
        }
    }

    /// Runs `body` on the writing connection, without a transaction.
    func writeWithoutTransaction<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws -> T {
        guard let writer else {
            throw SQLiteLedgerError.failed(path: path, action: "writing", reason: "it was opened read-only")
        }
        try refuseClosed("writing")
        do {
            return try await writer.writeWithoutTransaction(body)
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "writing")
        }
    }

    /// Runs `body` in one IMMEDIATE transaction, which is rolled back if `body` throws.
    /// - Parameter endsInPlace: whether to throw an error of kind `replaced` if the file is not in its place after the
    ///   commit.
    func write<T: Sendable>(
        endsInPlace: Bool = false, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws -> T {
        guard let writer else {
            throw SQLiteLedgerError.failed(path: path, action: "writing", reason: "it was opened read-only")
        }
        try refuseClosed("writing")
        do {
            return try await writer.writeWithoutTransaction { db in
                let result = try Self.inTransaction(.immediate, db) {
                    let before = db.totalChangesCount
                    let result = try body(db)
                    if db.totalChangesCount != before { try Self.changeState(db) }
                    return result
                }
                if endsInPlace { try self.requireInPlaceNow() }
                return result
            }
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "writing")
        }
    }

    /// Uses cached statements: GRDB compiles its own `BEGIN` and `COMMIT` each time.
    private static func inTransaction<T>(
        _ kind: Database.TransactionKind, _ db: Database, _ body: () throws -> T
    ) throws -> T {
        try db.cachedStatement(sql: "BEGIN \(kind.rawValue) TRANSACTION").execute()
        do {
            let result = try body()
            try db.cachedStatement(sql: "COMMIT TRANSACTION").execute()
            return result
        } catch {
            try? db.rollback()
            throw error
        }
    }

    /// Runs once per transaction, and changes a page that every transaction changes anyway (`WALFile`).
    private static func changeState(_ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE ledger SET state_before = state, state = random()").execute()
    }
}

// MARK: - Opening

extension LedgerDatabase {
    private static func openBlocking(
        at path: String, store: String?, for role: Role, isBackup: Bool = false
    ) throws -> LedgerDatabase {
        guard exists(at: path) else { throw SQLiteLedgerError.missing(path: path) }
        if LedgerFile.isFolder(path) { throw SQLiteLedgerError.cannotOpen(path: path, reason: "it is a folder") }
        if !isBackup {
            try refuseUnsafeFileSystem(path)
            try LedgerReplacement.finish(at: LedgerFile.resolved(path))
        }
        do {
            if !isBackup { try endUnfinishedChange(path) }
            let file = try LedgerFile(at: path)
            // A writer would also checkpoint the log into the file, and the mixture could no longer be detected. A
            // reader would display, or back up, a state that never existed; but a full check first would take too long
            // for a reader.
            if try isMixture(path, readingAll: role != .reader) { throw SQLiteLedgerError.mixed(path: path) }
            var writer: DatabaseQueue?
            if role != .reader {
                // Checked before anything is written, so that another program's database stays unchanged.
                try withReader(path) { try checkIsLedger($0, path: path) }
                let queue = try SQLiteFile.open(path, writerConfiguration(for: role))
                try Schema.migrator().migrate(queue)
                try queue.inDatabase { try checkDurability($0, path: path) }
                writer = queue
            }
            let reader = try SQLiteFile.open(path, readerConfiguration)
            let (identity, name) = try reader.read { db in
                try checkIsLedger(db, path: path)
                guard let row = try Row.fetchOne(db, sql: "SELECT identity, store FROM ledger") else {
                    throw SQLiteLedgerError.notALedger(path: path, reason: "it has no identity")
                }
                return (try row.value(0) as String, try row.value(1) as String)
            }
            if let store, name != store { throw SQLiteLedgerError.otherStore(path: path, store: name, asked: store) }
            return LedgerDatabase(identity: identity, store: name, file: file, writer: writer, reader: reader)
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "opening")
        }
    }

    private static func createBlocking(at path: String, store: String) throws {
        if exists(at: path) { throw SQLiteLedgerError.alreadyExists(path: path) }
        if FilePath.makeFolder(FilePath.folder(of: path), mode: 0o700) != 0, errno != EEXIST {
            throw SQLiteLedgerError.cannotOpen(
                path: path, reason: "its folder cannot be created (\(String(cString: strerror(errno))))")
        }
        try refuseUnsafeFileSystem(path)
        let descriptor = FilePath.open(path, O_CREAT | O_RDWR, mode: 0o600)
        guard descriptor >= 0 else {
            throw SQLiteLedgerError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        // Otherwise an existing file would keep its mode.
        fchmod(descriptor, 0o600)
        Glibc.close(descriptor)
        do {
            let queue = try SQLiteFile.open(path, writerConfiguration(for: .tool))
            try Schema.migrator(creating: (newIdentity(), store)).migrate(queue)
            try queue.close()
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "creating")
        }
    }

    static func refuseUnsafeFileSystem(_ path: String) throws {
        if let kind = LedgerFile.unsafeFileSystem(at: FilePath.folder(of: path)) {
            throw SQLiteLedgerError.networkFileSystem(path: path, kind: kind)
        }
    }

    private static func newIdentity() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let half = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - half.count) + half
        }.joined()
    }

    static var readerConfiguration: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = "ledger.reader"
        return configuration
    }

    private static func writerConfiguration(for role: Role) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = "ledger.writer"
        // The consumer refers only to products, variants and orders that it has found in the same transaction, by the
        // catalogue's version or as its own row. Looking up each of them again took an eighth of the recording time.
        // 'ledger check' finds dangling references.
        configuration.foreignKeysEnabled = role != .consumer
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // Every writer overwrites removed or moved content in the file: a row that no longer fits on its page
            // leaves no copy of an address behind, which a later erasure would not find.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            // The number of log pages after which the consumer checkpoints. A page that many batches change is written
            // once for all of them, but a longer log would delay a batch for longer.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(role == .consumer ? 4_000 : 0)")
            // A long-running reader makes the log's file grow; it is truncated to this size when the log restarts.
            try db.execute(sql: "PRAGMA journal_size_limit = \(LedgerFile.keptLogBytes)")
            // In KiB: enough to keep the inner pages of a large index of ids in memory, so that they are not read again
            // for every batch.
            if role == .consumer { try db.execute(sql: "PRAGMA cache_size = -8000") }
        }
        return configuration
    }

    /// Returns whether the log beside the file was left by a different state of the ledger, or by another ledger.
    ///
    /// This is quick if the file and the log show whether they belong together, as they do after any `kill -9`. If they
    /// do not, the whole ledger is read, and must be sound.
    /// - Parameter readingAll: if `false`, a log that does not show whether it belongs to the file is accepted.
    static func isMixture(_ path: String, readingAll: Bool = true) throws -> Bool {
        let path = LedgerFile.resolved(path)
        guard LedgerFile.size(of: path + "-wal") > 0 else { return false }
        do {
            // A consumer in another process may restart its log between two checks.
            var finding = WALFile.Finding.unclear
            for _ in 1...3 {
                try withReader(path) { db in finding = try WALFile.finding(db, path: path) }
                if finding == .belongs { return false }
            }
            // A mixture may be sound, but contain erased data again, or an old cap.
            if finding == .stranger { return true }
            guard readingAll else { return false }
            var isSound = false
            try withReader(path) { db in isSound = try sound(db).isSound }
            return !isSound
        } catch {
            guard SQLiteLedgerError.damage(error) != nil else { throw error }
            // A caller that does not read everything finds the damage when it reads the damaged page.
            return readingAll
        }
    }

    /// Rolls back an interrupted change of the journal mode. A crash while SQLite was entering or leaving write-ahead
    /// logging leaves a journal, with which no reader can open the file; a process that may write must roll the change
    /// back.
    static func endUnfinishedChange(_ path: String) throws {
        guard LedgerFile.size(of: LedgerFile.resolved(path) + "-journal") > 0 else { return }
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        let queue = try SQLiteFile.open(path, configuration)
        try queue.read { db in _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") }
        try queue.close()
    }

    private static func withReader(_ path: String, _ body: (Database) throws -> Void) throws {
        let queue = try SQLiteFile.open(path, readerConfiguration)
        try queue.read(body)
        try queue.close()
    }

    static func checkIsLedger(_ db: Database, path: String) throws {
        guard try Int64.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
            throw SQLiteLedgerError.notALedger(path: path, reason: "it is a SQLite database of another program")
        }
        switch try Schema.standing(db) {
        case .known: break
        case .newer: throw SQLiteLedgerError.newerSchema(path: path)
        case .unreleased: throw SQLiteLedgerError.unreleasedSchema(path: path)
        case .damaged:
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "its tables are not those of this version")
        }
    }

    /// Reads the settings back, because GRDB or SQLite may have changed them.
    private static func checkDurability(_ db: Database, path: String) throws {
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""
        if journal != "wal" { throw SQLiteLedgerError.notDurable(path: path, setting: "journal_mode", value: journal) }
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? 0
        if synchronous < 2 {
            throw SQLiteLedgerError.notDurable(path: path, setting: "synchronous", value: String(synchronous))
        }
    }
}
