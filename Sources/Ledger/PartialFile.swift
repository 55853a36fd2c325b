import Glibc
import Paths

/// A file that is being made beside its place, and takes it only when it is whole: the owner's alone, and one process'
/// at a time. A run that is cut short leaves it; the next one begins it anew.
final class PartialFile: Sendable {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        while true {
            let descriptor = FilePath.open(path, O_CREAT | O_RDWR | O_NOFOLLOW, mode: 0o600)
            guard descriptor >= 0 else { throw LedgerError.cannotWrite(path: path, reason: Self.reason) }
            // flock and SQLite's own locks do not see each other.
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw LedgerError.copyUnderWay(path: path)
            }
            var opened = stat()
            if fstat(descriptor, &opened) == 0, let named = FilePath.status(of: path), opened.isSameFile(as: named) {
                if opened.st_nlink == 1 {
                    self.descriptor = descriptor
                    break
                }
                // The last run was cut short after the whole file had got its name: it must not be emptied.
                FilePath.unlink(path)
            }
            // Or it took its place, as another process' work, between opening and locking.
            close(descriptor)
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else {
            throw LedgerError.cannotWrite(path: path, reason: Self.reason)
        }
        for companion in LedgerFile.companions(of: path) { FilePath.unlink(companion) }
    }

    /// Last: closing any descriptor of a file drops this process' SQLite locks on it.
    deinit { close(descriptor) }

    /// Everything written is on disk.
    func sync() throws {
        guard fsync(descriptor) == 0 else { throw LedgerError.cannotWrite(path: path, reason: Self.reason) }
    }

    /// Takes the place of `target`, at once and for good.
    /// - Parameter replacing: whether there may be a file.
    func take(_ target: String, replacing: Bool) throws {
        try sync()
        // A second name never replaces anything. Where there are none, it is looked at instead.
        if !replacing, FilePath.link(path, to: target) == 0 {
            FilePath.unlink(path)
        } else {
            if !replacing, LedgerFile.isThere(target) { throw LedgerError.copyExists(path: target) }
            guard FilePath.rename(path, to: target) == 0 else {
                throw LedgerError.cannotWrite(path: target, reason: Self.reason)
            }
        }
        try Self.syncFolder(of: target)
    }

    func remove() {
        for file in [path] + LedgerFile.companions(of: path) { FilePath.unlink(file) }
    }

    /// Names in the folder of `path` are on disk.
    static func syncFolder(of path: String) throws {
        let folder = FilePath.folder(of: path)
        let descriptor = FilePath.open(folder, O_RDONLY)
        guard descriptor >= 0 else { throw LedgerError.cannotWrite(path: folder, reason: reason) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LedgerError.cannotWrite(path: folder, reason: reason) }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
