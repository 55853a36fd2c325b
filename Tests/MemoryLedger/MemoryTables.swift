import Domain
import Ledger

/// The content of a ledger as values: the second implementation, kept as simple as possible. It keeps no running totals
/// and computes everything on request, so that it shares no mistake with the tables of a database.
package struct MemoryTables: Sendable {
    struct ProductRow: Sendable {
        /// The product without its variants.
        var product: Product
        var hasVariants: Bool
        var position: Int
        var isActive = true
        /// The catalogue version that last changed the row.
        var version: Int64
    }

    struct VariantRow: Sendable {
        var variant: Variant
        var productID: Identifier
        var position: Int
        var isActive = true
        var version: Int64
    }

    struct OrderRow: Sendable {
        /// The checkout, without the customer's data after an erasure.
        var checkout: Checkout
        var digest: [UInt8]
        var status: OrderStatus
        var decision: Decision
        var epoch: Int64
        var decidedAt: String
        var entryID: String
        var erasedAt: String?
        /// The digest of the erased payment intent.
        var paymentDigest: [UInt8]?
    }

    struct CancellationRow: Sendable {
        var cancellation: Cancellation
        var recorded: RecordedCancellation
        var epoch: Int64
    }

    struct RefundRow: Sendable {
        var number: Int64
        /// The refused order; nil for a dead letter.
        var order: Identifier?
        var deadLetter: Int64?
        var orderID: Identifier?
        /// The payment; its amount is the part that is still due.
        var payment: Payment
        var refunded: Int64 = 0
        var reason: String
        var since: String

        var intent: String { payment.intentID ?? "" }
        /// Whether an order that is recorded later may remove the refund. A conflict is with an order that already
        /// exists.
        var awaitsOrder: Bool {
            deadLetter != nil && orderID != nil && reason != DeadLetterReason.orderConflict.rawValue
        }
    }

    struct EpochRow: Sendable {
        var epoch: Int64
        var reason: String
        /// The position of the journal's last row when the epoch was opened.
        var position: Int64
        /// Milliseconds since 1970.
        var openedAt: Int64
    }

    let identity: String
    let store: String
    var head = LedgerHead(epoch: 0, seq: 0, position: 0, catalogueVersion: 0)
    /// Ordered by position.
    var journal: [JournalEntry] = []
    /// Keyed by position.
    var commands: [Int64: DecidedCommand] = [:]
    var categories: [String] = []
    /// In the order in which they were added, like the variants.
    var products: [ProductRow] = []
    var variants: [VariantRow] = []
    var balances: [CounterName: Balance] = [:]
    /// In the order of recording, like the arrays below; an order's number is its index plus 1.
    var orders: [OrderRow] = []
    var cancellations: [CancellationRow] = []
    var adjustments: [RecordedAdjustment] = []
    /// A dead letter's number is its index plus 1.
    var deadLetters: [RecordedDeadLetter] = []
    /// The numbers of the dead letters that are checkouts.
    var checkouts: Set<Int64> = []
    var refunds: [RefundRow] = []
    /// The amounts that refunds have returned, in the order of recording.
    var givenBack: [(payment: [UInt8], amount: Int64?, isSettled: Bool)] = []
    /// The positions of refunds whose payment intents were erased.
    var erasedRefunds: Set<Int64> = []

    /// Returns the refunds of an order, ordered by position.
    func orderRefunds(of order: Identifier) -> [(position: Int64, refund: Refund, decided: DecidedCommand)] {
        journal.compactMap { entry in
            guard let decided = commands[entry.position], case .refund(let refund) = decided.command,
                refund.orderID == order
            else { return nil }
            return (entry.position, refund, decided)
        }
    }
    var epochs: [EpochRow] = []
    var repairs: [RecordedRepair] = []
    var catalogueChanges: [RecordedCatalogueChange] = []
    var audit: [AuditEntry] = []
    var attempts: [EntryIdentity: Int] = [:]
    /// Whether data was erased since the last `completeErasure`.
    var hasErased = false

    init(identity: String, store: String) { (self.identity, self.store) = (identity, store) }

    mutating func note(_ action: AuditEntry.Action, _ subject: String, by: String?) {
        audit.append(
            AuditEntry(
                number: Int64(audit.count + 1), action: action, subject: subject, by: by, doneAt: Timestamp.now()))
    }

    // MARK: - Finding rows

    func product(_ id: Identifier) -> ProductRow? { products.first { $0.product.id == id } }

    func variant(_ id: Identifier) -> VariantRow? { variants.first { $0.variant.id == id } }

    func isActive(_ counter: CounterName) -> Bool? {
        switch counter.level {
        case .product: product(counter.id)?.isActive
        case .variant: variant(counter.id)?.isActive
        }
    }

    func state(of counter: CounterName) -> CounterState? {
        guard let balance = balances[counter], let isActive = isActive(counter) else { return nil }
        return CounterState(sold: balance.sold, cap: balance.cap, isActive: isActive)
    }

    func orderPlace(_ id: Identifier) -> Int? { orders.firstIndex { $0.checkout.orderID == id } }

    func order(_ id: Identifier) -> OrderRow? { orderPlace(id).map { orders[$0] } }

    /// Returns the units that an order still owns, in the order of its lines, each SKU once, or nil if the order does
    /// not exist.
    func owned(by id: Identifier) -> [SKUUnits]? {
        guard let order = order(id) else { return nil }
        guard order.decision.seq != nil else { return [] }
        let released = cancellations.filter { $0.cancellation.orderID == id }.flatMap(\.recorded.items)
        return order.checkout.lines.map { SKUUnits($0.sku, $0.units) }.summed.map { line in
            SKUUnits(line.sku, line.units - released.reduce(0) { $1.sku == line.sku ? $0 + $1.released : $0 })
        }
    }

    /// All changes of the counters, by orders, cancellations with restock, and adjustments.
    var changes: [(seq: Int64, sku: SKU, units: Int64, kind: RecordedChange.Kind, id: Identifier)] {
        var changes: [(seq: Int64, sku: SKU, units: Int64, kind: RecordedChange.Kind, id: Identifier)] = []
        for order in orders {
            guard let seq = order.decision.seq else { continue }
            changes += order.checkout.lines.map { (seq, $0.sku, $0.units, .order, order.checkout.orderID) }
        }
        for row in cancellations {
            guard let seq = row.recorded.seq else { continue }
            changes += row.recorded.items.map { (seq, $0.sku, -$0.givenBack, .cancellation, row.recorded.id) }
        }
        for row in adjustments {
            changes.append(
                (row.seq, row.adjustment.sku, row.adjustment.units, .adjustment, row.adjustment.adjustmentID))
        }
        return changes
    }

    /// Balances that differ from the sums of the records, products first, each level ordered by id.
    var miscounts: [Miscount] {
        var sold: [CounterName: Int64] = [:]
        var adjusted: [CounterName: Int64] = [:]
        for change in changes { for counter in change.sku.counters { sold[counter, default: 0] += change.units } }
        for row in adjustments {
            for counter in row.adjustment.sku.counters { adjusted[counter, default: 0] += row.adjustment.units }
        }
        for item in cancellations.flatMap(\.recorded.items) {
            for counter in item.sku.counters { adjusted[counter, default: 0] += item.released - item.givenBack }
        }
        return counterNames.flatMap { counter -> [Miscount] in
            guard let balance = balances[counter] else { return [] }
            return [
                Miscount(counter: counter, column: .sold, recorded: balance.sold, counted: sold[counter] ?? 0),
                Miscount(
                    counter: counter, column: .adjusted, recorded: balance.adjusted, counted: adjusted[counter] ?? 0),
            ].filter { $0.recorded != $0.counted }
        }
    }

    /// Products before variants, each ordered by id.
    var counterNames: [CounterName] {
        CapLevel.allCases.flatMap { level in
            balances.keys.filter { $0.level == level }.sorted { $0.id < $1.id }
        }
    }
}
