/// Why counters and ledger could not be compared.
package enum ReconciliationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Redis holds no counters.
    case notInstalled(redis: String, key: String)
    /// The counters belong to another ledger.
    case otherLedger(redis: String, found: String)
    /// The ledger has not recorded the changes that the counters hold, and no consumer is recording them.
    case behind(counters: Int64, ledger: Int64)
    /// Ledger and counters are at different epochs or catalogue versions, and no consumer is aligning them.
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
            comparing counters and ledger failed: on the epoch: the counters are at \(counters.map(String.init) ?? "none"), the ledger at \(ledger), and no consumer is aligning them. \
            Start one ('stocktake consume').
            """
        case .differentCatalogues(let counters, let ledger):
            """
            comparing counters and ledger failed: on the catalogue: the counters have version \(counters.map(String.init) ?? "none"), the ledger \(ledger), and no consumer is installing the new one. \
            Start one ('stocktake consume').
            """
        case .changing:
            "comparing counters and ledger failed: on the epoch: it kept changing. Read the consumer's log."
        }
    }
}
