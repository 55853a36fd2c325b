import Glibc

/// An exclusive lock between processes: beside the ledger it makes one process the active consumer.
///
/// A lock file, locked with flock(2): the system frees it when the process ends, however it ends. The file stays when
/// the lock is gone: removing it would let two processes hold locks on two files of one name.
package final class ProcessLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// The path of the lock that belongs to a ledger.
    package static func path(besideLedger ledger: String) -> String { ledger + ".lock" }

    /// The lock, or nil while another process has it.
    package static func acquire(_ path: String) throws -> ProcessLock? {
        // Close-on-exec: a child (the private Redis) must not keep the lock alive.
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConsumerError.lock(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            if reason == EWOULDBLOCK { return nil }
            throw ConsumerError.lock(path: path, reason: String(cString: strerror(reason)))
        }
        // For people: who has it.
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        return ProcessLock(descriptor: descriptor)
    }

    /// The process that has the lock, as it wrote it down.
    package static func holder(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let length = read(descriptor, &buffer, buffer.count)
        guard length > 0 else { return nil }
        return Int32(String(decoding: buffer[..<length].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
