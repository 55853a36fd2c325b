import Failpoints
import Glibc
import Domain
import Files

/// The last step of restoring: a complete copy takes the ledger's place, and the old ledger is kept under a different
/// name.
///
/// The old ledger's file and log are two names, which no system can change atomically together. Therefore the copy
/// first gets a separate name, which commits the restoration: as long as that name exists, every process that opens the
/// ledger first completes the restoration. If a restoration is interrupted, there is either the old ledger with its
/// log, or the new one. Every step is idempotent.
enum LedgerReplacement {
    /// Returns the name under which a copy waits to take the ledger's place.
    static func successor(of path: String) -> String { path + ".restored" }

    static func isUnfinished(at path: String) -> Bool { LedgerFile.exists(successor(of: path)) }

    /// Completes an interrupted restoration, if there is one. Waits while another process does so.
    /// - Parameter path: the ledger's path, with links resolved.
    static func finish(at path: String) throws {
        let name = successor(of: path)
        guard LedgerFile.exists(name) else { return }
        let descriptor = FilePath.open(name, O_RDONLY | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw SQLiteLedgerError.cannotOpen(path: name, reason: reason)
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SQLiteLedgerError.cannotOpen(path: name, reason: reason) }
        }
        var opened = stat()
        // Otherwise another process has completed it in the meantime.
        guard fstat(descriptor, &opened) == 0, let named = FilePath.status(of: name), opened.isSameFile(as: named)
        else { return }
        _ = try complete(path, successor: opened)
    }

    /// Moves the successor to its place. The caller must have locked it.
    /// - Returns: the new path of the replaced file, or `nil` if there was none.
    static func complete(_ path: String, successor copy: stat) throws -> String? {
        // Derived from the copy's modification time, so that a second attempt uses the same name as the first.
        let time = Timestamp.text(
            seconds: copy.st_mtim.tv_sec, milliseconds: copy.st_mtim.tv_nsec / 1_000_000)
        let kept = path + ".replaced-" + time.filter { $0.isNumber || $0.isLetter }
        try keep(path, as: kept)
        // SQLite would apply a remaining log to the copy.
        for (companion, suffix) in zip(LedgerFile.companions(of: path), ["-wal", "-shm", "-journal"])
        where LedgerFile.exists(companion) {
            guard FilePath.rename(companion, to: kept + suffix) == 0 else {
                throw SQLiteLedgerError.cannotWrite(path: companion, reason: reason)
            }
        }
        try PartialFile.syncFolder(of: path)
        Failpoint.restoreKept.pass()
        guard FilePath.rename(successor(of: path), to: path) == 0 else {
            throw SQLiteLedgerError.cannotWrite(path: path, reason: reason)
        }
        try PartialFile.syncFolder(of: path)
        return LedgerFile.exists(kept) ? kept : nil
    }

    /// Gives the file at `path` a second name (a hard link), so that there is a ledger at every moment. If the file
    /// system has no hard links, renames it instead.
    private static func keep(_ path: String, as kept: String) throws {
        guard LedgerFile.exists(path), FilePath.link(path, to: kept) != 0 else { return }
        if errno == EEXIST {
            // A previous attempt got this far. The name contains the copy's time, so no other file should have it.
            if let old = FilePath.status(of: path), let second = FilePath.status(of: kept), old.isSameFile(as: second) {
                return
            }
            throw SQLiteLedgerError.cannotWrite(path: kept, reason: "another file has this name")
        }
        guard FilePath.rename(path, to: kept) == 0 else {
            throw SQLiteLedgerError.cannotWrite(path: kept, reason: reason)
        }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
