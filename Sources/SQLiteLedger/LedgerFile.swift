import Glibc
import Files

/// The ledger as a file: its identity, and whether it is on a file system where SQLite is safe.
struct LedgerFile: Sendable, Equatable {
    let path: String
    private let device: UInt64
    private let inode: UInt64

    /// The file that `path` leads to now.
    init(at path: String) throws {
        guard let status = FilePath.status(of: path) else { throw SQLiteLedgerError.missing(path: path) }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Whether the path still leads to the same file. If not, whatever is committed is lost.
    var isInPlace: Bool {
        guard let now = FilePath.status(of: path) else { return false }
        return UInt64(now.st_dev) == device && UInt64(now.st_ino) == inode
    }

    /// The path with links resolved, beside which SQLite keeps the log; unchanged if it leads nowhere.
    static func resolved(_ path: String) -> String { FilePath.resolved(path) ?? path }

    /// Whether another process has the database open, according to SQLite's locks on the file: this also works for a
    /// file that SQLite cannot read. Only while this process has not opened it: closing the descriptor would drop this
    /// process' own locks.
    static func isInUse(_ path: String) -> Bool {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // The bytes that SQLite locks: pending, reserved, and 510 shared ones.
        var lock = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0x4000_0000, l_len: 512, l_pid: 0)
        return fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// Whether there is anything at `path`, also a link that leads nowhere.
    static func exists(_ path: String) -> Bool { FilePath.statusOfLink(path) != nil }

    /// Who may read and write it: the last nine bits of the mode, or nil if there is none.
    static func permissions(of path: String) -> UInt32? {
        FilePath.status(of: path).map { UInt32($0.st_mode) & 0o777 }
    }

    /// Bytes that the owner can still write on the disk of `path`; nil if the system does not report it.
    static func freeSpace(at path: String) -> Int64? {
        FilePath.fileSystem(at: path).map { Int64(clamping: UInt64($0.f_bavail) * UInt64($0.f_frsize)) }
    }

    /// In bytes; 0 if there is no file.
    static func size(of path: String) -> Int64 {
        FilePath.status(of: path).map { Int64($0.st_size) } ?? 0
    }

    /// Bytes of a ledger's log (-wal), by whatever link it is named: SQLite keeps it beside the file itself.
    static func logSize(ofLedger path: String) -> Int64 { size(of: resolved(path) + "-wal") }

    /// What the log's file is truncated to when the log restarts. Larger than the log gets between two checkpoints, so
    /// that space is not freed only to be allocated again.
    static let keptLogBytes: Int64 = 64 << 20
    /// A reader keeps a larger log from restarting, or did a moment ago.
    static let largeLogBytes: Int64 = 2 * keptLogBytes

    static func isFolder(_ path: String) -> Bool {
        FilePath.status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// File systems on which SQLite's write-ahead log is not safe: it needs memory shared by all processes that have
    /// the file open.
    private static let unsafeFileSystems: Set<String> = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph"]

    /// The kind of file system that `folder` is on, if it is an unsafe one.
    static func unsafeFileSystem(at folder: String) -> String? {
        fileSystem(at: folder).flatMap { unsafeFileSystems.contains($0) ? $0 : nil }
    }

    /// The kind of file system that a path is on, as the system calls it ("ext4"); nil if the system does not report
    /// it.
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
            // The innermost mount counts, and of several on the same mount point the last.
            if isAbove, mountPoint.utf8.count >= found.mountPoint.utf8.count {
                found = (mountPoint, String(parts[dash + 1]))
            }
        }
        return found.kind.isEmpty ? nil : found.kind
    }

    /// The files SQLite keeps for a database: its log, and a journal while write-ahead logging begins or ends.
    static func companions(of path: String) -> [String] {
        [path + "-wal", path + "-shm", path + "-journal"]
    }
}
