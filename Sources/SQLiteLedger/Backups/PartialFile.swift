import Glibc
import Files

/// A file that is written beside its final place, and moves to that place only when it is complete. Only the owner can
/// access it, and only one process at a time can write it. An interrupted run leaves it behind; the next run starts
/// over.
final class PartialFile: Sendable {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        while true {
            let descriptor = FilePath.open(path, O_CREAT | O_RDWR | O_NOFOLLOW, mode: 0o600)
            guard descriptor >= 0 else { throw SQLiteLedgerError.cannotWrite(path: path, reason: Self.reason) }
            // `flock` locks and SQLite's own locks do not affect each other.
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw SQLiteLedgerError.copyUnderWay(path: path)
            }
            var opened = stat()
            if fstat(descriptor, &opened) == 0, let named = FilePath.status(of: path), opened.isSameFile(as: named) {
                if opened.st_nlink == 1 {
                    self.descriptor = descriptor
                    break
                }
                // The last run was interrupted after the complete file got its final name, so it must not be truncated.
                FilePath.unlink(path)
            }
            // Or another process completed the file, and moved it to its place, between opening and locking.
            close(descriptor)
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else {
            throw SQLiteLedgerError.cannotWrite(path: path, reason: Self.reason)
        }
        for companion in LedgerFile.companions(of: path) { FilePath.unlink(companion) }
    }

    /// Closed last, because closing any descriptor of a file drops this process's SQLite locks on it.
    deinit { close(descriptor) }

    /// Flushes all written data to disk.
    func sync() throws {
        guard fsync(descriptor) == 0 else { throw SQLiteLedgerError.cannotWrite(path: path, reason: Self.reason) }
    }

    /// Moves the file to `target`, atomically and durably.
    /// - Parameter replacing: whether a file may exist there.
    func take(_ target: String, replacing: Bool) throws {
        try sync()
        // Creating a hard link never replaces a file. If the file system has no hard links, the target is checked
        // instead.
        if !replacing, FilePath.link(path, to: target) == 0 {
            FilePath.unlink(path)
        } else {
            if !replacing, LedgerFile.exists(target) { throw SQLiteLedgerError.copyExists(path: target) }
            guard FilePath.rename(path, to: target) == 0 else {
                throw SQLiteLedgerError.cannotWrite(path: target, reason: Self.reason)
            }
        }
        try Self.syncFolder(of: target)
    }

    func remove() {
        for file in [path] + LedgerFile.companions(of: path) { FilePath.unlink(file) }
    }

    /// Flushes the directory entries of the folder of `path` to disk.
    static func syncFolder(of path: String) throws {
        let folder = FilePath.folder(of: path)
        let descriptor = FilePath.open(folder, O_RDONLY)
        guard descriptor >= 0 else { throw SQLiteLedgerError.cannotWrite(path: folder, reason: reason) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SQLiteLedgerError.cannotWrite(path: folder, reason: reason) }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
