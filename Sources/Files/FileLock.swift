import Glibc

/// An exclusive lock between processes.
///
/// A lock file, locked with flock(2): the system releases the lock when the process ends, for whatever reason. The file
/// is not removed with the lock: that would let two processes hold locks on two files with the same name. It contains
/// lines of text that the holder leaves for other processes, starting with its process id.
package final class FileLock: Sendable {
    private let descriptor: Int32
    /// The lines that the last holder left, without its process id.
    package let previousLines: [String]

    private init(descriptor: Int32, previousLines: [String]) {
        self.descriptor = descriptor
        self.previousLines = previousLines
    }

    deinit {
        close(descriptor)
    }

    /// Takes the lock without waiting, or returns nil if another process holds it. Creates the file (mode 0600) if
    /// necessary. Reads at most 1,024 bytes of the file. The last holder's lines stay in it until `write`; only the
    /// process id is replaced immediately.
    package static func acquire(_ path: String) throws(FileLockError) -> FileLock? {
        // Close-on-exec: a child process (the private Redis) must not keep the lock.
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
    /// not of the machine. Write errors are ignored.
    package func write(_ lines: [String]) {
        let text = ([String(getpid())] + lines).map { $0 + "\n" }.joined()
        // The text is written before the file is truncated: a process that is killed in between leaves a complete note,
        // never none.
        let length = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        if length > 0 { ftruncate(descriptor, length) }
    }

    /// Returns whether a process holds the lock now. A lock file still names a holder that has died.
    ///
    /// Checks with a shared lock that is released at once: a standby that tries to take the lock at that moment must
    /// try again.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Returns the process that holds the lock or held it last, and the lines that it left, according to the file.
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
