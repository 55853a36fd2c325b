import Domain

/// An error that stops the consumer. Messages stay pending; nothing is lost.
package enum ConsumerError: Error, Sendable, CustomStringConvertible {
    /// Redis holds the counters of another ledger, or of a later state of this ledger.
    case wrongLedger(ledger: String, redis: String, LedgerObjection)
    /// Several epochs were opened in a row, and the same batch still could not be recorded.
    case noProgress(redis: String, reason: String, epochs: Int)
    /// The server is too old.
    case serverTooOld(redis: String, version: String)

    package var description: String {
        switch self {
        case .wrongLedger(let ledger, let redis, let objection):
            """
            opening an epoch failed: on \(redis): \(Self.sentence(objection, ledger: ledger)). \
            Nothing was sold. Name the right ledger and Redis; if the ledger was lost, 'stocktake ledger restore FILE' puts a backup in its \
            place; to continue with this one, adopt it ('stocktake ledger adopt'). Both first decide again the messages that the stream still holds.
            """
        case .noProgress(let redis, let reason, let epochs):
            """
            processing a batch failed: on \(redis): the counters changed again after \(epochs) installations (\(reason)). \
            Find what else writes to the keys of this store, stop it, and start again; the messages stay pending.
            """
        case .serverTooOld(let redis, let version):
            "starting the consumer failed: on \(redis): Redis \(version) is too old. Use Redis 7.0 or later."
        }
    }

    private static func sentence(_ objection: LedgerObjection, ledger: String) -> String {
        switch objection {
        case .otherLedger(let identity):
            "the counters belong to another ledger (\(identity)), not to \(ledger)"
        case .laterEpoch(let epoch):
            "the counters are of epoch \(epoch), which the ledger \(ledger) has not reached: it was replaced or has gone back in time"
        case .moreRecorded(let settled, let recorded):
            "\(recorded) rows (orders, cancellations, adjustments, refunds, dead letters) up to seq \(settled) had been recorded, which the ledger \(ledger) does not hold: it was replaced or has gone back in time"
        }
    }
}
