import Ledger
import Paths
import Synchronization

/// The lease of a SQLite ledger: a lock file beside the ledger's own file.
///
/// The file's lines: the note for the next holder, and what was found about the ledger.
final class SQLiteLease: Lease {
    private let lock: FileLock
    let previousNote: String
    let previousSoundness: LedgerSoundness?
    private let noted: Mutex<(note: String, soundness: LedgerSoundness?)>

    init(_ lock: FileLock) {
        self.lock = lock
        previousNote = lock.previousLines.first ?? ""
        previousSoundness = Self.soundness(lock.previousLines)
        // Kept until the new holder has read them.
        noted = Mutex((previousNote, previousSoundness))
    }

    /// A write into the system's memory: it does not wait for the disk.
    func note(_ text: String) { change { $0.note = text } }

    func note(_ soundness: LedgerSoundness?) { change { $0.soundness = soundness } }

    private func change(_ body: (inout (note: String, soundness: LedgerSoundness?)) -> Void) {
        noted.withLock { noted in
            body(&noted)
            lock.write([noted.note, noted.soundness?.line ?? ""])
        }
    }

    static func soundness(_ lines: [String]) -> LedgerSoundness? {
        lines.count > 1 ? LedgerSoundness(line: lines[1]) : nil
    }
}

/// Of a ledger at one path, whether it exists or not.
struct SQLiteLeaseRegister: LeaseRegister {
    private let ledger: String

    init(ledger: String) { self.ledger = ledger }

    /// Beside the ledger's file itself, by whatever link it is named.
    private var path: String { LedgerFile.resolved(ledger) + ".lock" }

    func acquire() async throws -> (any Lease)? {
        try await offCooperativeThreads { [self] in try FileLock.acquire(path).map { SQLiteLease($0) } }
    }

    func state() async -> LeaseState {
        await offCooperativeThreads { [self] in
            LeaseState(isHeld: FileLock.isHeld(path), process: FileLock.contents(path).process)
        }
    }

    func soundness() async -> LedgerSoundness? {
        await offCooperativeThreads { [self] in SQLiteLease.soundness(FileLock.contents(path).lines) }
    }
}
