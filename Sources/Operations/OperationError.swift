/// Why an operation was not done, or not completed.
package enum OperationError: Error, Sendable, CustomStringConvertible {
    /// The private Redis does not start.
    case privateRedis(socket: String, reason: String)
    /// The backup's identity differs from that of the ledger that it would replace or that Redis follows.
    case otherLedger(backup: String, identity: String, found: OtherLedger)
    /// A new epoch was opened between the comparison and the repair.
    case repairOvertaken(ledger: String)
    /// No consumer installed the repair in time.
    case repairNotInstalled(ledger: String, epoch: Int64, within: Duration)
    /// Drift was found again right after a repair.
    case driftReturned(redis: String, epoch: Int64, key: String)

    package var description: String {
        switch self {
        case .privateRedis(let socket, let reason):
            "starting the private Redis failed: on \(socket): \(reason)"
        case .otherLedger(let backup, let identity, let found):
            "restoring the ledger failed: on \(backup): it is a backup of ledger \(identity), and \(found); nothing was changed. Name the right backup, or use --other-ledger if this one is intended."
        case .repairOvertaken(let ledger):
            "repairing drift failed: on the ledger \(ledger): a new epoch was opened in the meantime, which installed the counters again. Compare again."
        case .repairNotInstalled(let ledger, let epoch, let limit):
            "repairing drift failed: on the ledger \(ledger): epoch \(epoch) was requested, but the active consumer has opened no later epoch within \(limit.components.seconds) s. Check its log; it makes the repair as soon as it continues."
        case .driftReturned(let redis, let epoch, let key):
            "repairing drift failed: on \(redis): after epoch \(epoch) the counters drifted again. Find out what else writes \(key)."
        }
    }
}
