import Glibc

/// A file that is being made beside its place, and takes it only when it is whole: the owner's alone, and one process'
/// at a time. A run that is cut short leaves it; the next one begins it anew.
final class PartialFile: Sendable {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        while true {
            let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw LedgerError.cannotWrite(path: path, reason: Self.reason) }
            // flock and SQLite's own locks do not see each other.
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw LedgerError.copyUnderWay(path: path)
            }
            var (opened, named) = (stat(), stat())
            if fstat(descriptor, &opened) == 0, stat(path, &named) == 0, opened.st_ino == named.st_ino,
                opened.st_dev == named.st_dev
            {
                if opened.st_nlink == 1 {
                    self.descriptor = descriptor
                    break
                }
                // The last run was cut short after the whole file had got its name: it must not be emptied.
                unlink(path)
            }
            // Or it took its place, as another process' work, between opening and locking.
            close(descriptor)
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else {
            throw LedgerError.cannotWrite(path: path, reason: Self.reason)
        }
        for companion in LedgerFile.companions(of: path) { unlink(companion) }
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
        if !replacing, link(path, target) == 0 {
            unlink(path)
        } else {
            if !replacing, LedgerFile.isThere(target) { throw LedgerError.copyExists(path: target) }
            guard rename(path, target) == 0 else {
                throw LedgerError.cannotWrite(path: target, reason: Self.reason)
            }
        }
        try Self.syncFolder(of: target)
    }

    func remove() {
        for file in [path] + LedgerFile.companions(of: path) { unlink(file) }
    }

    /// Names in the folder of `path` are on disk.
    static func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LedgerError.cannotWrite(path: folder, reason: reason) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LedgerError.cannotWrite(path: folder, reason: reason) }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
