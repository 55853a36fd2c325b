/// The errors of the counters besides `RedisError`.
package enum CountersError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A reply does not have the shape that the script promises.
    case unexpectedReply(script: String, detail: String)
    /// The prepared hash of a new epoch had a different number of fields from those sent.
    case installIncomplete(sent: Int, found: String)

    /// Whether the prepared counters were lost before the installation; the next epoch may succeed.
    package var isLossBeforeInstalling: Bool {
        if case .installIncomplete = self { true } else { false }
    }

    package var description: String {
        switch self {
        case .unexpectedReply(let script, let detail):
            """
            cannot use the reply of \(script): on Redis: \(detail). \
            Check that nothing between here and Redis changes replies, and that no other version of Stocktake runs on this store.
            """
        case .installIncomplete(let sent, let found):
            """
            installing the counters failed: on Redis: \(found) fields were found where \(sent) had been sent. \
            Check that nothing else writes keys of this store.
            """
        }
    }
}
