import Ledger

/// What the ledger shows about a store at one moment.
struct LedgerSnapshot: Sendable {
    /// nil: it cannot be read.
    var statistics: LedgerStatistics?
    /// Why it cannot be read.
    var failure: String?
    /// What the consumer found when it last read it for damage; nil: unknown.
    var soundness: LedgerSoundness?
    var condition = LedgerCondition()

    /// Never throws: a ledger that cannot be read is a finding.
    static func capture(_ ledger: any LedgerQueries, _ lease: any LeaseRegister) async -> LedgerSnapshot {
        var snapshot = LedgerSnapshot(soundness: await lease.soundness(), condition: await ledger.condition())
        do {
            snapshot.statistics = try await ledger.statistics()
        } catch {
            snapshot.failure = "\(error)"
        }
        return snapshot
    }

    /// What is damaged in it, without where it lies; nil: no damage is known.
    var damage: String? { soundness?.damage }

    /// What is wrong, for the operator; nil: nothing.
    var detail: String? {
        failure ?? damage.map {
            "the ledger is damaged: \($0). Stop what has it open, and restore a backup: 'stocktake ledger restore FILE'."
        }
            ?? condition.obstacle.map { "the ledger cannot be written: \($0)" }
    }
}
