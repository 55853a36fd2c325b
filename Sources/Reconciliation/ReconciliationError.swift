/// Why the comparison could not be made.
package enum ReconciliationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There are no counters in Redis.
    case notInstalled(redis: String, key: String)
    /// They are another ledger's.
    case otherLedger(redis: String, found: String)
    /// The ledger has not recorded what the counters hold, and no consumer is recording it.
    case behind(counters: Int64, ledger: Int64)
    /// Ledger and counters are at different epochs or catalogue versions, and no consumer brings them together.
    case differentEpochs(counters: Int64?, ledger: Int64)
    case differentCatalogues(counters: Int64?, ledger: Int64)
    /// The epoch kept changing while the counters were read.
    case changing

    package var description: String {
        switch self {
        case .notInstalled(let redis, let key):
            "comparing counters and ledger failed: on \(redis): \(key) does not exist. Start a consumer ('stocktake consume'): it installs the counters."
        case .otherLedger(let redis, let found):
            "comparing counters and ledger failed: on \(redis): the counters belong to another ledger (\(found)). Name the right one with --ledger or --redis-url."
        case .behind(let counters, let ledger):
            """
            comparing counters and ledger failed: on the ledger: the counters are at seq \(counters), the ledger at \(ledger), and no consumer is recording. \
            Start one ('stocktake consume'): it decides again what was not recorded.
            """
        case .differentEpochs(let counters, let ledger):
            """
            comparing counters and ledger failed: on the epoch: the counters are at \(counters.map(String.init) ?? "none"), the ledger at \(ledger), and no consumer brings them together. \
            Start one ('stocktake consume').
            """
        case .differentCatalogues(let counters, let ledger):
            """
            comparing counters and ledger failed: on the catalogue: the counters have version \(counters.map(String.init) ?? "none"), the ledger \(ledger), and no consumer brings the new one in. \
            Start one ('stocktake consume').
            """
        case .changing:
            "comparing counters and ledger failed: on the epoch: it changed again and again. Look at the consumer's log."
        }
    }
}
