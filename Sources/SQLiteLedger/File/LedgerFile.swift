import Glibc
import Files

/// The ledger's file: its identity, and whether it is on a file system where SQLite is safe.
struct LedgerFile: Sendable, Equatable {
    let path: String
    private let device: UInt64
    private let inode: UInt64

    /// Records the identity of the file that `path` leads to now.
    init(at path: String) throws {
        guard let status = FilePath.status(of: path) else { throw SQLiteLedgerError.missing(path: path) }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Whether the path still leads to the same file. If not, any committed data is lost.
    var isInPlace: Bool {
        guard let now = FilePath.status(of: path) else { return false }
        return UInt64(now.st_dev) == device && UInt64(now.st_ino) == inode
    }

    /// Returns the path with links resolved, beside which SQLite keeps the log; unchanged if it leads nowhere.
    static func resolved(_ path: String) -> String { FilePath.resolved(path) ?? path }

    /// Returns whether another process has the database open, according to SQLite's locks on the file. This also works
    /// for a file that SQLite cannot read. This process must not have it open: closing the descriptor would drop its
    /// own locks.
    static func isInUse(_ path: String) -> Bool {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // The bytes that SQLite locks: pending, reserved, and 510 shared ones.
        var lock = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0x4000_0000, l_len: 512, l_pid: 0)
        return fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// Returns whether there is a file at `path`, including a link that leads nowhere.
    static func exists(_ path: String) -> Bool { FilePath.statusOfLink(path) != nil }

    /// Returns the permissions of a file, the last nine bits of its mode, or `nil` if there is no file.
    static func permissions(of path: String) -> UInt32? {
        FilePath.status(of: path).map { UInt32($0.st_mode) & 0o777 }
    }

    /// Returns the bytes that the owner can still write on the disk of `path`, or `nil` if the system does not report
    /// them.
    static func freeSpace(at path: String) -> Int64? {
        FilePath.fileSystem(at: path).map { Int64(clamping: UInt64($0.f_bavail) * UInt64($0.f_frsize)) }
    }

    /// Returns the size in bytes, or 0 if there is no file.
    static func size(of path: String) -> Int64 {
        FilePath.status(of: path).map { Int64($0.st_size) } ?? 0
    }

    /// Returns the size in bytes of a ledger's log (-wal). Links are resolved, because SQLite keeps the log beside the
    /// file itself.
    static func logSize(ofLedger path: String) -> Int64 { size(of: resolved(path) + "-wal") }

    /// The size to which the log's file is truncated when the log restarts. It is larger than the log gets between two
    /// checkpoints, so that space is not freed only to be allocated again.
    static let keptLogBytes: Int64 = 64 << 20
    /// A log that is larger than this shows that a reader keeps it from restarting, or did a moment ago.
    static let largeLogBytes: Int64 = 2 * keptLogBytes

    static func isFolder(_ path: String) -> Bool {
        FilePath.status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// File systems on which SQLite's write-ahead log is not safe: it needs memory shared by all processes that have
    /// the file open.
    private static let unsafeFileSystems: Set<String> = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph"]

    /// Returns the kind of file system that `folder` is on, if it is an unsafe one, or `nil` otherwise.
    static func unsafeFileSystem(at folder: String) -> String? {
        fileSystem(at: folder).flatMap { unsafeFileSystems.contains($0) ? $0 : nil }
    }

    /// Returns the kind of file system that a path is on, as named by the system ("ext4"), or `nil` if the system does
    /// not report it.
    static func fileSystem(at path: String) -> String? {
        guard let path = FilePath.resolved(path) else { return nil }
        guard let table = fopen("/proc/self/mountinfo", "r") else { return nil }
        defer { fclose(table) }
        var found = (mountPoint: "", kind: "")
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, table) > 0, let text = line {
            // "36 35 98:0 /root /mount/point options … - type source options", see proc(5).
            let parts = FilePath.text(text).split(separator: " ")
            guard parts.count > 4, let dash = parts.firstIndex(of: "-"), dash + 1 < parts.count else { continue }
            let mountPoint = String(parts[4])
            let isAbove = mountPoint == "/" || path == mountPoint || path.utf8.starts(with: (mountPoint + "/").utf8)
            // The innermost mount counts, or the last of several on the same mount point.
            if isAbove, mountPoint.utf8.count >= found.mountPoint.utf8.count {
                found = (mountPoint, String(parts[dash + 1]))
            }
        }
        return found.kind.isEmpty ? nil : found.kind
    }

    /// The files that SQLite keeps for a database: its log with the log's index, and a journal while it enters or
    /// leaves write-ahead logging.
    static func companions(of path: String) -> [String] {
        [path + "-wal", path + "-shm", path + "-journal"]
    }
}
