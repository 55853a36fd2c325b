import GRDB
import GRDBSQLite
import Domain

/// A prepared statement for the hot path of every order: values go straight into SQLite, and columns straight out of
/// it.
///
/// GRDB boxes each value, copies each string and allocates an object for each row; with thirty columns per order that
/// took more time than SQLite itself (docs/performance.md). The statement comes from GRDB's cache, and lives as long as
/// its connection. Values are bound in the order of the statement's parameters; an unbound parameter is NULL. A run
/// clears all bindings.
struct RawStatement {
    /// Keeps `statement` alive: GRDB finalizes it in `Statement.deinit`.
    private let owner: Statement
    private let statement: OpaquePointer
    private let connection: OpaquePointer?
    private let texts: BindArena
    private var bound: CInt = 0
    /// The error code of the first value that could not be bound.
    private var failure = SQLITE_OK

    /// - Parameter texts: holds the bound values until the statement has run; may be shared by statements that run one
    ///   after another.
    init(_ sql: String, _ db: Database, _ texts: BindArena) throws {
        owner = try db.cachedStatement(sql: sql)
        statement = owner.sqliteStatement
        connection = db.sqliteConnection
        self.texts = texts
    }

    mutating func bind(_ text: String?) {
        bound += 1
        guard var text else { return }
        text.withUTF8 { bind(textBytes: UnsafeRawBufferPointer($0)) }
    }

    private mutating func bind(textBytes bytes: UnsafeRawBufferPointer) {
        let kept = texts.keep(bytes)
        check(
            sqlite3_bind_text64(
                statement, bound, kept.start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count),
                kept.destructor, UInt8(SQLITE_UTF8)))
    }

    mutating func bind(_ packed: TextSlices, _ number: Int) {
        bound += 1
        packed.withBytes(number) { bytes in if let bytes { bind(textBytes: bytes) } }
    }

    mutating func bind(_ id: Identifier) { bind(id.text) }

    mutating func bind(_ id: Identifier?) { bind(id?.text) }

    mutating func bind(_ number: Int64?) {
        bound += 1
        if let number { check(sqlite3_bind_int64(statement, bound, number)) }
    }

    mutating func bind(blob bytes: [UInt8]) {
        bound += 1
        bytes.withUnsafeBytes { bytes in
            let kept = texts.keep(bytes)
            check(sqlite3_bind_blob64(statement, bound, kept.start, UInt64(bytes.count), kept.destructor))
        }
    }

    private mutating func check(_ code: CInt) {
        if code != SQLITE_OK, failure == SQLITE_OK { failure = code }
    }

    /// Runs the statement and passes each row to `body`, from which it must not escape.
    mutating func forEachRow(_ body: (RawRow) -> Void) throws {
        defer { forget() }
        guard failure == SQLITE_OK else { throw error() }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: body(RawRow(statement: statement))
            case SQLITE_DONE: return
            default: throw error()
            }
        }
    }

    private mutating func forget() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
        texts.clear()
        bound = 0
        failure = SQLITE_OK
    }

    private func error() -> DatabaseError {
        let code = failure == SQLITE_OK ? sqlite3_extended_errcode(connection) : failure
        return DatabaseError(
            resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }
}

/// A row of a running statement. Columns are counted from 0. Only the accessors that say so accept NULL.
struct RawRow {
    fileprivate let statement: OpaquePointer

    func integer(_ column: CInt) -> Int64 { sqlite3_column_int64(statement, column) }

    func optionalInteger(_ column: CInt) -> Int64? {
        sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : integer(column)
    }

    /// Returns an empty string for NULL.
    func text(_ column: CInt) -> String {
        String(decoding: bytes(of: sqlite3_column_text(statement, column), column), as: UTF8.self)
    }

    func optionalText(_ column: CInt) -> String? {
        sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : text(column)
    }

    func blob(_ column: CInt) -> [UInt8] { Array(bytes(of: sqlite3_column_blob(statement, column), column)) }

    private func bytes(of start: UnsafeRawPointer?, _ column: CInt) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
    }
}

/// Memory for the strings and blobs of a row while SQLite needs them, which saves SQLite an allocation for each.
final class BindArena {
    private static let capacity = 64 << 10
    private let room = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
    private var used = 0

    deinit { room.deallocate() }

    /// Copies the bytes into the arena, where they remain until `clear`. If the arena is full, the returned destructor
    /// makes SQLite copy them.
    func keep(_ bytes: UnsafeRawBufferPointer) -> (start: UnsafeRawPointer, destructor: sqlite3_destructor_type?) {
        // SQLite takes a null pointer for NULL, not for an empty string.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return (UnsafeRawPointer(room), nil) }
        guard bytes.count <= Self.capacity - used else { return (start, Self.copies) }
        let place = room + used
        place.copyMemory(from: start, byteCount: bytes.count)
        used += bytes.count
        return (UnsafeRawPointer(place), nil)
    }

    func clear() { used = 0 }

    /// SQLITE_TRANSIENT, a macro that Swift does not import.
    private static let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}
