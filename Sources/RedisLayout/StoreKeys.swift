import Domain

/// The names of one store's keys in Redis. They are a contract: other programs read them.
///
/// The braces are a Redis Cluster hash tag: all keys of one store live in one slot.
package struct StoreKeys: Sendable, Equatable {
    /// The consumer group on `checkouts`.
    package static let group = "stocktake"

    package let store: String
    /// Stream: messages in.
    package let checkouts: String
    /// Hash: the counters.
    package let stock: String
    /// Hash: how many messages were acknowledged, and how many were lost before.
    package let intake: String
    /// Stream: the outcome of each message.
    package let outcomes: String
    /// Channel: a product's id whenever its figures change.
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

    /// Where the counters of an epoch are prepared before they replace `stock`.
    package func staging(epoch: Int64) -> String {
        "\(stock).next:\(epoch)"
    }

    /// Why `store` cannot name a store, or nil. Braces would move the hash tag, control characters break logs.
    package static func violation(inStoreName store: String) -> String? {
        if let violation = Identifier.violation(in: store) { return violation }
        return store.contains(where: { "{}".contains($0) }) ? "contains a brace" : nil
    }
}
