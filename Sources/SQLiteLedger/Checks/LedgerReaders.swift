import Glibc
import Files

/// The processes that have a read transaction open on a ledger. While one is open, its log (-wal) cannot restart and
/// only grows.
///
/// They are read from SQLite's shared index of the log (-shm) and the locks on it, both part of its documented format
/// (https://sqlite.org/walformat.html).
struct LedgerReaders: Sendable, Equatable {
    struct Reader: Sendable, Equatable {
        /// 0 or below for a process that is not visible from here, such as one in another container.
        var process: Int32
        /// The last frame of the log that the process sees.
        var frame: UInt32
    }

    /// One for each read mark in use: if several readers read the same state, only one is listed.
    var readers: [Reader]
    /// The bytes of the log that are not in the ledger's file yet.
    var unwrittenBytes: Int64

    /// The header of the index, followed by the checkpoint information.
    private static let bytes = 136
    private static let (pageSizeAt, framesAt, writtenAt, marksAt) = (14, 16, 96, 100)
    private static let marks = 5
    private static let firstReadLock = 123

    /// Returns `nil` if the ledger is not open anywhere, or if the system does not report it.
    ///
    /// - Important: this process must not have the ledger open. Closing a file drops all locks that a process has on
    ///   it, including SQLite's own.
    static func read(ofLedger path: String) -> LedgerReaders? {
        let descriptor = FilePath.open(LedgerFile.resolved(path) + "-shm", O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var index = [UInt8](repeating: 0, count: bytes)
        guard pread(descriptor, &index, bytes, 0) == bytes else { return nil }
        func number(at offset: Int) -> UInt32 {
            index.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        }
        let readers = (0..<marks).compactMap { mark -> Reader? in
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            lock.l_whence = Int16(SEEK_SET)
            lock.l_start = firstReadLock + mark
            lock.l_len = 1
            guard fcntl(descriptor, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
            return Reader(process: lock.l_pid, frame: number(at: marksAt + 4 * mark))
        }
        let pageSize = index.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: pageSizeAt, as: UInt16.self) }
        let (frames, written) = (Int64(number(at: framesAt)), Int64(number(at: writtenAt)))
        // A page size of 64 KiB does not fit, and is stored as 1. Each frame has a header of 24 bytes.
        let frameBytes = (pageSize == 1 ? 65_536 : Int64(pageSize)) + 24
        return LedgerReaders(readers: readers, unwrittenBytes: max(frames - written, 0) * frameBytes)
    }

    /// Returns the readers that had the same state open at an earlier check.
    func staying(since earlier: LedgerReaders) -> [Reader] {
        readers.filter { earlier.readers.contains($0) }
    }
}
