import Glibc

/// An exclusive lock between processes.
///
/// A lock file, locked with flock(2): the system frees it when the process ends, however it ends. The file stays when
/// the lock is gone: removing it would let two processes hold locks on two files of one name. It holds lines of text
/// that the holder leaves for others: its process id first.
package final class FileLock: Sendable {
    private let descriptor: Int32
    /// What the last holder left, without its process id.
    package let previousLines: [String]

    private init(descriptor: Int32, previousLines: [String]) {
        self.descriptor = descriptor
        self.previousLines = previousLines
    }

    deinit {
        close(descriptor)
    }

    /// Takes the lock without waiting; nil: another process holds it. Creates the file (mode 0600) if necessary. At
    /// most 1,024 bytes of the file are read. The last holder's lines stay in it until `write`; only the process id is
    /// replaced at once.
    package static func acquire(_ path: String) throws(FileLockError) -> FileLock? {
        // Close-on-exec: a child (the private Redis) must not keep the lock alive.
        let descriptor = FilePath.open(path, O_CREAT | O_RDWR, mode: 0o600)
        guard descriptor >= 0 else { throw FileLockError(path: path, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            if reason == EWOULDBLOCK { return nil }
            throw FileLockError(path: path, reason: String(cString: strerror(reason)))
        }
        let lock = FileLock(descriptor: descriptor, previousLines: Array(lines(descriptor).dropFirst()))
        lock.write(lock.previousLines)
        return lock
    }

    /// Replaces the lines after the process id. They are not synced to disk: they survive a crash of the process, but
    /// not of the machine. A failure to write is ignored.
    package func write(_ lines: [String]) {
        let text = ([String(getpid())] + lines).map { $0 + "\n" }.joined()
        // Written before it is cut to length: a process that is killed in between leaves a whole note, never none.
        let length = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        if length > 0 { ftruncate(descriptor, length) }
    }

    /// Whether a process has the lock now. A lock file still names a holder that has died.
    ///
    /// Checked with a shared lock that is released at once: a standby that tries at this very moment tries again.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// The process that has the lock or had it last, and what it left, according to the file.
    package static func contents(_ path: String) -> (process: Int32?, lines: [String]) {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return (nil, []) }
        defer { close(descriptor) }
        let lines = lines(descriptor)
        return (lines.first.flatMap { Int32($0) }, Array(lines.dropFirst()))
    }

    private static func lines(_ descriptor: Int32) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let length = pread(descriptor, &buffer, buffer.count, 0)
        guard length > 0 else { return [] }
        let lines = String(decoding: buffer[..<length], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.last == "" ? lines.dropLast() : lines
    }
}

/// A lock file cannot be used.
package struct FileLockError: Error, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    package var description: String {
        "taking a lock failed: on \(path): \(reason). Check that the folder exists, and its permissions."
    }
}
