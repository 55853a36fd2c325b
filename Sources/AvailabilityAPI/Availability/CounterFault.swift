/// Why the counters in Redis cannot be served as those of a ledger.
package enum CounterFault: Error, Sendable, Equatable {
    /// No consumer has installed counters.
    case notInstalled
    case otherLedger
    /// Redis has lost changes; a consumer installs the counters again.
    case behind
    /// The counters were installed again during several reads in a row.
    case changing
}
