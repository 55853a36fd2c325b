/// Something that Redis remembers and a ledger does not hold: it is a different ledger, or was replaced by an older
/// copy.
package enum LedgerObjection: Sendable, Equatable {
    /// The counters belong to the ledger with this identity.
    case otherLedger(String)
    /// The counters in Redis have this later epoch.
    case laterEpoch(Int64)
    /// The ledger had recorded everything up to this seq, and this many messages.
    case moreRecorded(settled: Int64, recorded: Int64)
}
