import GRDB
import GRDBSQLite
import Glibc
import Files

/// The log (-wal) of a database, and whether it belongs to the file beside it.
///
/// SQLite applies the log of a crashed process to whatever file it finds. Each transaction gives the ledger a new
/// random `state` and keeps the previous one (`LedgerDatabase.write`), so the log contains the sequence of states. If
/// the log belongs to the file, the file has one of these states, or the state before the first one, from which the log
/// continues. File times prove nothing, because SQLite changes those of a log even if it only opens it.
struct WALFile {
    /// The conclusion from the log about the file.
    enum Finding {
        /// They belong together, or SQLite would ignore the log's content.
        case belongs
        /// The log was written for a different state.
        case stranger
        /// The log does not show whether it belongs to the file.
        case unclear
    }

    private let descriptor: Int32
    private let pageSize: Int
    private let salts: [UInt8]

    /// - Parameters:
    ///   - db: a connection to the ledger.
    ///   - path: the ledger's path.
    static func finding(_ db: Database, path: String) throws -> Finding {
        // The table has one row, so its root is its only page.
        let root = try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'")
        guard let root, root > 1 else { return .unclear }
        let descriptor = FilePath.open(path + "-wal", O_RDONLY)
        // The log has disappeared in the meantime: another process has closed the ledger.
        guard descriptor >= 0 else { return .belongs }
        defer { close(descriptor) }
        guard let log = WALFile(descriptor) else { return .belongs }
        guard let page = page(root, of: log.pageSize, inFileOf: db), let file = LedgerStates(page: page)
        else { return .unclear }
        return log.finding(from: file.state, root: root)
    }

    /// Returns `nil` if SQLite would ignore the log's content.
    private init?(_ descriptor: Int32) {
        guard let header = Self.bytes(descriptor, Self.headerBytes, at: 0),
            Self.integer(header[0..<4]) | 1 == 0x377F_0683
        else { return nil }
        self.descriptor = descriptor
        pageSize = Int(Self.integer(header[8..<12]))
        salts = Array(header[16..<24])
        guard (512...65_536).contains(pageSize) else { return nil }
    }

    private func finding(from state: Int64, root: Int) -> Finding {
        var offset = Self.headerBytes
        // The offsets of the root page in the transaction being read; whether a complete transaction was read.
        var pages: [Int] = []
        var (hasCommitted, isFirst) = (false, true)
        while let frame = Self.bytes(descriptor, Self.frameBytes, at: offset), Array(frame[8..<16]) == salts {
            let page = offset + Self.frameBytes
            if Self.integer(frame[0..<4]) == UInt32(root) { pages.append(page) }
            // The size of the database, which is set in the last frame of a transaction.
            if Self.integer(frame[4..<8]) != 0 {
                hasCommitted = true
                for page in pages {
                    guard let found = Self.bytes(descriptor, pageSize, at: page).flatMap(LedgerStates.init(page:))
                    else { return .unclear }
                    if found.state == state || isFirst && found.before == state { return .belongs }
                    isFirst = false
                }
                pages = []
            }
            offset = page + pageSize
        }
        if !hasCommitted { return .belongs }
        return isFirst ? .unclear : .stranger
    }

    /// Returns a page as stored in the file, without its log. It is read through SQLite's own handle: opening and
    /// closing the file a second time would drop all locks that this process has on it.
    private static func page(_ number: Int, of size: Int, inFileOf db: Database) -> [UInt8]? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let file, let read = file.pointee.pMethods?.pointee.xRead
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        return read(file, &bytes, CInt(size), Int64(number - 1) * Int64(size)) == SQLITE_OK ? bytes : nil
    }

    // MARK: - Format of the log

    private static let headerBytes = 32
    private static let frameBytes = 24

    private static func bytes(_ descriptor: Int32, _ count: Int, at offset: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, offset) == count ? bytes : nil
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

/// `state` and `state_before` of the only row of the table `ledger`, decoded from the bytes of its page: SQLite cannot
/// read the file, or a frame of the log, on its own.
struct LedgerStates {
    var state: Int64
    var before: Int64

    /// Returns `nil` for a page that is not a table leaf with one row whose first three columns are `id` and these two.
    init?(page: [UInt8]) {
        let leafOfTable: UInt8 = 0x0D
        guard page.count > 10, page[0] == leafOfTable, page[3] == 0, page[4] == 1 else { return nil }
        var reader = Reader(bytes: page, at: Int(page[8]) << 8 | Int(page[9]))
        // The row's size and rowid; then the size of its header, and the serial types of its columns.
        guard reader.varint() != nil, reader.varint() != nil else { return nil }
        let head = reader.at
        guard let size = reader.varint(), reader.varint() == 0, let state = reader.varint(),
            let before = reader.varint(), size < page.count
        else { return nil }
        reader.at = head + Int(size)
        guard let stateValue = reader.integer(state), let beforeValue = reader.integer(before) else { return nil }
        self.state = stateValue
        self.before = beforeValue
    }

    private struct Reader {
        let bytes: [UInt8]
        var at: Int

        mutating func byte() -> UInt8? {
            guard bytes.indices.contains(at) else { return nil }
            defer { at += 1 }
            return bytes[at]
        }

        /// Seven bits per byte, the highest first.
        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            for _ in 0..<8 {
                guard let byte = byte() else { return nil }
                value = value << 7 | UInt64(byte & 0x7F)
                if byte & 0x80 == 0 { return value }
            }
            guard let byte = byte() else { return nil }
            return value << 8 | UInt64(byte)
        }

        /// Decodes the value of an integer column from its serial type. Returns `nil` for other types.
        mutating func integer(_ kind: UInt64) -> Int64? {
            switch kind {
            case 8: return 0
            case 9: return 1
            case 1...6:
                let length = [1, 2, 3, 4, 6, 8][Int(kind) - 1]
                var value: Int64 = 0
                for position in 0..<length {
                    guard let byte = byte() else { return nil }
                    value = position == 0 ? Int64(Int8(bitPattern: byte)) : value << 8 | Int64(byte)
                }
                return value
            default: return nil
            }
        }
    }
}
