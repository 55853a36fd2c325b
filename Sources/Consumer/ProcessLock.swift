import Glibc
import Paths
import Synchronization

/// An exclusive lock between processes: beside the ledger it makes one process the active consumer.
///
/// A lock file, locked with flock(2): the system frees it when the process ends, however it ends. The file stays when
/// the lock is gone: removing it would let two processes hold locks on two files of one name.
package final class ProcessLock: Sendable {
    private let descriptor: Int32
    /// What the last holder noted.
    package let previousNote: String
    package let previousSoundness: LedgerSoundness?
    private let noted: Mutex<(note: String, soundness: LedgerSoundness?)>

    private init(descriptor: Int32, lines: [String]) {
        self.descriptor = descriptor
        previousNote = lines.count > 1 ? lines[1] : ""
        previousSoundness = Self.soundness(lines)
        // Kept until the new holder has read them.
        noted = Mutex((previousNote, previousSoundness))
    }

    deinit {
        close(descriptor)
    }

    /// The path of the lock that belongs to a ledger: beside the file itself, by whatever link it is named.
    package static func path(besideLedger ledger: String) -> String {
        (FilePath.resolved(ledger) ?? ledger) + ".lock"
    }

    /// The lock, or nil while another process has it.
    package static func acquire(_ path: String) throws -> ProcessLock? {
        // Close-on-exec: a child (the private Redis) must not keep the lock alive.
        let descriptor = FilePath.open(path, O_CREAT | O_RDWR, mode: 0o600)
        guard descriptor >= 0 else {
            throw ConsumerError.lock(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            if reason == EWOULDBLOCK { return nil }
            throw ConsumerError.lock(path: path, reason: String(cString: strerror(reason)))
        }
        let lock = ProcessLock(descriptor: descriptor, lines: lines(descriptor))
        lock.change { _ in }
        return lock
    }

    /// Leaves a line for the next holder. It survives the end of the process, not that of the machine, and costs no
    /// wait for the disk.
    package func note(_ text: String) { change { $0.note = text } }

    /// Publishes what was found about the ledger; nil: nothing is known about this ledger.
    package func note(_ soundness: LedgerSoundness?) { change { $0.soundness = soundness } }

    private func change(_ body: (inout (note: String, soundness: LedgerSoundness?)) -> Void) {
        noted.withLock { noted in
            body(&noted)
            // The process id names the holder, for people.
            let text = "\(getpid())\n\(noted.note)\n\(noted.soundness?.line ?? "")\n"
            // Written before it is cut to length: a process that is killed in between leaves a whole note, never none.
            let length = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
            if length > 0 { ftruncate(descriptor, length) }
        }
    }

    private static func soundness(_ lines: [String]) -> LedgerSoundness? {
        lines.count > 2 ? LedgerSoundness(line: lines[2]) : nil
    }

    private static func lines(_ descriptor: Int32) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let length = pread(descriptor, &buffer, buffer.count, 0)
        guard length > 0 else { return [] }
        return String(decoding: buffer[..<length], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
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

    /// The process that has the lock, according to the file.
    package static func holder(_ path: String) -> Int32? {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return lines(descriptor).first.flatMap { Int32($0) }
    }

    /// What was found about the ledger last, by whichever process had the lock.
    package static func soundness(_ path: String) -> LedgerSoundness? {
        let descriptor = FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return soundness(lines(descriptor))
    }
}
