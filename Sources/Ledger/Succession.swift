import Failpoints
import Glibc
import Inventory
import Paths

/// The last step of restoring: a whole copy takes the ledger's place, and what was there is kept under another name.
///
/// File and log of the old ledger are two names, which no system changes at once. So the copy first gets a name of its
/// own, which decides: as long as that is there, whoever opens the ledger ends what was begun, before anything else.
/// Cut short, there is either the old ledger with its log, or the new one. Every step may be repeated.
enum Succession {
    /// The name under which a copy waits for its place.
    static func successor(of path: String) -> String { path + ".restored" }

    static func isUnfinished(at path: String) -> Bool { LedgerFile.isThere(successor(of: path)) }

    /// Ends a restoration that was cut short, if there is one. Waits while another process does so.
    /// - Parameter path: the ledger's, links resolved.
    static func finish(at path: String) throws {
        let name = successor(of: path)
        guard LedgerFile.isThere(name) else { return }
        let descriptor = FilePath.open(name, O_RDONLY | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw LedgerError.cannotOpen(path: name, reason: reason)
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw LedgerError.cannotOpen(path: name, reason: reason) }
        }
        var opened = stat()
        // Else another process has ended it meanwhile.
        guard fstat(descriptor, &opened) == 0, let named = FilePath.status(of: name), opened.isSameFile(as: named)
        else { return }
        _ = try complete(path, successor: opened)
    }

    /// Puts the successor in its place. The caller has it locked.
    /// - Returns: where that is now which was there before; nil if nothing was.
    static func complete(_ path: String, successor copy: stat) throws -> String? {
        // Made of the copy's own time, so that a second try finds the name that the first one used.
        let time = Timestamp.text(
            seconds: copy.st_mtim.tv_sec, milliseconds: copy.st_mtim.tv_nsec / 1_000_000)
        let kept = path + ".replaced-" + time.filter { $0.isNumber || $0.isLetter }
        try keep(path, as: kept)
        // A log that stayed would be laid over the copy.
        for (companion, suffix) in zip(LedgerFile.companions(of: path), ["-wal", "-shm", "-journal"])
        where LedgerFile.isThere(companion) {
            guard FilePath.rename(companion, to: kept + suffix) == 0 else {
                throw LedgerError.cannotWrite(path: companion, reason: reason)
            }
        }
        try PartialFile.syncFolder(of: path)
        Failpoint.restoreKept.pass()
        guard FilePath.rename(successor(of: path), to: path) == 0 else {
            throw LedgerError.cannotWrite(path: path, reason: reason)
        }
        try PartialFile.syncFolder(of: path)
        return LedgerFile.isThere(kept) ? kept : nil
    }

    /// Gives what is at `path` a second name, so that at no moment there is no ledger; or another one, where the file
    /// system has no second names.
    private static func keep(_ path: String, as kept: String) throws {
        guard LedgerFile.isThere(path), FilePath.link(path, to: kept) != 0 else { return }
        if errno == EEXIST {
            // A first try has got so far. Nothing else can be there that was made at the same moment.
            if let old = FilePath.status(of: path), let second = FilePath.status(of: kept), old.isSameFile(as: second) {
                return
            }
            throw LedgerError.cannotWrite(path: kept, reason: "there is another file")
        }
        guard FilePath.rename(path, to: kept) == 0 else {
            throw LedgerError.cannotWrite(path: kept, reason: reason)
        }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
