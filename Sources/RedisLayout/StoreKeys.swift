import Domain

/// The names of one store's keys in Redis. They are part of the public contract: other programs read them.
///
/// The braces are a Redis Cluster hash tag: all keys of one store live in one slot.
package struct StoreKeys: Sendable, Equatable {
    /// The consumer group on the `checkouts` stream.
    package static let group = "stocktake"

    package let store: String
    /// Stream: the incoming messages.
    package let checkouts: String
    /// Hash: the counters.
    package let stock: String
    /// Hash: the number of messages acknowledged, and of messages lost before processing.
    package let intake: String
    /// Stream: the outcome of each message.
    package let outcomes: String
    /// Channel: a product's id whenever its availability changes.
    package let changes: String

    package init(store: String) {
        self.store = store
        let prefix = "stocktake:{\(store)}:"
        checkouts = prefix + "checkouts"
        stock = prefix + "stock"
        intake = prefix + "intake"
        outcomes = prefix + "outcomes"
        changes = prefix + "changes"
    }

    /// Returns the key under which the counters of an epoch are prepared before they replace `stock`.
    package func staging(epoch: Int64) -> String {
        "\(stock).next:\(epoch)"
    }

    /// Returns why `store` is not a valid name for a store, or nil. Braces would move the hash tag; control characters
    /// would break logs.
    package static func violation(inStoreName store: String) -> String? {
        if let violation = Identifier.violation(in: store) { return violation }
        return store.contains(where: { "{}".contains($0) }) ? "contains a brace" : nil
    }
}
