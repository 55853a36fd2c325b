import Consumer
import Ledger

/// What the ledger shows about a store at one moment.
struct LedgerSnapshot: Sendable {
    /// nil: it cannot be read.
    var statistics: LedgerStatistics?
    var obstacle: LedgerObstacle?
    /// Why it cannot be read.
    var failure: String?
    /// What the consumer found when it last read the file for damage; nil: unknown.
    var soundness: LedgerSoundness?
    /// Bytes of the file and its log.
    var bytes: Int64
    /// Bytes of the log alone.
    var logBytes: Int64 = 0

    /// Never throws: a ledger that cannot be read is a finding.
    /// - Parameter lock: the path of the lock beside it.
    static func capture(_ ledger: LedgerDatabase, lock: String) async -> LedgerSnapshot {
        let path = ledger.path
        let (file, log, soundness) = await offCooperativeThreads {
            (LedgerFile.size(of: path), LedgerFile.logSize(ofLedger: path), ProcessLock.soundness(lock))
        }
        var snapshot = LedgerSnapshot(
            obstacle: await ledger.obstacle(), soundness: soundness, bytes: file + log, logBytes: log)
        do {
            snapshot.statistics = try await ledger.statistics()
        } catch {
            snapshot.failure = "\(error)"
        }
        return snapshot
    }

    /// What is damaged in the file, without its path; nil: no damage is known.
    var damage: String? { soundness?.damage }

    /// What is wrong, for the operator; nil: nothing.
    var detail: String? {
        failure ?? damage.map {
            "the ledger is damaged: \($0). Stop what has it open, and restore a backup: 'stocktake ledger restore FILE'."
        }
            ?? obstacle.map { "the ledger cannot be written: \($0)" }
    }

    /// What is not wrong, but should be checked; nil: nothing.
    var notice: String? {
        logBytes > LedgerFile.largeLogBytes
            ? "its log has \(logBytes >> 20) MiB: something may keep a read transaction open. 'stocktake doctor' says who"
            : nil
    }
}
