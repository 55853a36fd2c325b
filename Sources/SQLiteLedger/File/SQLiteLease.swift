import Concurrency
import Ledger
import Files
import Synchronization

/// The lease of a SQLite ledger: a lock file beside the ledger's file.
///
/// The process id is followed by two lines: the note for the next holder, and the published finding about the ledger,
/// `sound TIME` or `damaged TIME DETAIL`. Each may be empty.
final class SQLiteLease: Lease {
    private let lock: FileLock
    let previousNote: String
    let previousSoundness: LedgerSoundness?
    private let noted: Mutex<(note: String, soundness: LedgerSoundness?)>

    init(_ lock: FileLock) {
        self.lock = lock
        previousNote = lock.previousLines.first ?? ""
        previousSoundness = Self.soundness(lock.previousLines)
        // Kept until the new holder replaces them.
        noted = Mutex((previousNote, previousSoundness))
    }

    /// Writes only to the system's memory, without waiting for the disk.
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

/// Grants the lease of the ledger at one path, whether the ledger exists or not.
struct SQLiteLeaseRegister: LeaseRegister {
    private let ledger: String

    init(ledger: String) { self.ledger = ledger }

    /// Beside the ledger's file itself, with links resolved.
    private var path: String { LedgerFile.resolved(ledger) + ".lock" }

    func acquire() async throws -> (any Lease)? {
        do {
            return try await offCooperativeThreads { [self] in try FileLock.acquire(path).map { SQLiteLease($0) } }
        } catch let error as FileLockError {
            throw SQLiteLedgerError.lock(path: error.path, reason: error.reason)
        }
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

extension LedgerSoundness {
    /// The finding as a line of the lock file.
    fileprivate var line: String {
        switch self {
        case .sound(let time): "sound \(time)"
        case .damaged(let time, let detail):
            "damaged \(time) \(String(detail.prefix(Self.detailLength)).replacing("\n", with: " "))"
        }
    }

    /// Longer details are truncated.
    fileprivate static let detailLength = 400

    fileprivate init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
        switch (parts.first, parts.count) {
        case ("sound", 2): self = .sound(at: parts[1])
        case ("damaged", 3): self = .damaged(at: parts[1], detail: parts[2])
        default: return nil
        }
    }
}
