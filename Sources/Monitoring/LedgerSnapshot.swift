import Ledger

/// A snapshot of what the ledger reports about a store.
struct LedgerSnapshot: Sendable {
    /// `nil` if the ledger cannot be read.
    var statistics: LedgerStatistics?
    /// Why the ledger cannot be read; `nil` if it can.
    var failure: String?
    /// The result of the consumer's last check for damage; `nil` if unknown.
    var soundness: LedgerSoundness?
    var condition = LedgerCondition()

    /// Takes a snapshot. Never throws: an unreadable ledger is a result.
    static func capture(_ ledger: any LedgerQueries, _ lease: any LeaseRegister) async -> LedgerSnapshot {
        var snapshot = LedgerSnapshot(soundness: await lease.soundness(), condition: await ledger.condition())
        do {
            snapshot.statistics = try await ledger.statistics()
        } catch {
            snapshot.failure = "\(error)"
        }
        return snapshot
    }

    /// The damage, without the ledger's path; `nil` if no damage is known.
    var damage: String? { soundness?.damage }

    /// The problem, described for the operator; `nil` if there is none.
    var detail: String? {
        failure ?? damage.map {
            "the ledger is damaged: \($0). Stop the processes that have it open, and restore a backup: 'stocktake ledger restore FILE'."
        }
            ?? condition.obstacle.map { "the ledger cannot be written: \($0)" }
    }
}
