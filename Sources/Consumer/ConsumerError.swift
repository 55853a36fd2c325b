import Counters
import Inventory
import Ledger

/// What makes the consumer stop by itself. Messages stay pending; nothing is lost.
package enum ConsumerError: Error, Sendable, CustomStringConvertible {
    /// The lock file cannot be used.
    case lock(path: String, reason: String)
    /// Redis holds the counters of another ledger, or of a later state of this one.
    case ledgerIsNotTheOne(path: String, redis: String, found: InstallAnswer)
    /// Several epochs were opened in a row, and the same batch still could not be recorded.
    case noProgress(redis: String, reason: String, epochs: Int)
    /// The server is too old.
    case serverTooOld(redis: String, version: String)

    package var description: String {
        switch self {
        case .lock(let path, let reason):
            "taking a lock failed: on \(path): \(reason). Check that the folder exists, and its permissions."
        case .ledgerIsNotTheOne(let path, let redis, let found):
            """
            opening an epoch failed: on \(redis): \(Self.finding(found, ledger: path)). \
            Nothing was sold. Name the right ledger and Redis; if the ledger was lost, 'stocktake ledger restore FILE' puts a backup in its \
            place; if this one is to go on, adopt it ('stocktake ledger adopt'). Both have decided again first what the stream still holds.
            """
        case .noProgress(let redis, let reason, let epochs):
            """
            processing a batch failed: on \(redis): the counters changed again after \(epochs) installations (\(reason)). \
            Find what else writes the keys of this store, end it, and start again; the messages are pending.
            """
        case .serverTooOld(let redis, let version):
            "starting the consumer failed: on \(redis): Redis \(version) is too old. Use Redis 7.0 or later."
        }
    }

    private static func finding(_ found: InstallAnswer, ledger path: String) -> String {
        switch found {
        case .installed: "the counters are installed"
        case .otherLedger(let identity):
            "the counters belong to another ledger (\(identity)), not to \(path)"
        case .epochNotLower(let epoch):
            "the counters are of epoch \(epoch), which the ledger \(path) has not reached: it was replaced or has gone back in time"
        case .ledgerBehind(let settled, let recorded):
            "\(recorded) rows (orders, cancellations, adjustments, dead letters) up to seq \(settled) had been recorded, which the ledger \(path) does not hold: it was replaced or has gone back in time"
        }
    }
}
