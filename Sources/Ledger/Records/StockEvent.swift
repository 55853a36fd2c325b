import Domain

/// What has changed the units sold of one product or variant, or how it may be sold.
package struct StockEvent: Sendable, Equatable {
    /// The raw values are public.
    package enum Kind: String, Sendable {
        /// All accepted orders between the events before and after, summed.
        case orders
        case order
        case cancellation
        case adjustment
        case catalogue
        case repair
    }

    package var kind: Kind
    /// In the journal; of summed orders that of the last one, of a repair that of the row before its epoch.
    package var position: Int64
    /// Of summed orders nil; of a change of the catalogue its version, of a repair its epoch.
    package var id: String?
    /// How many orders are summed; else nil.
    package var orders: Int64?
    /// What it added to the units sold; nil: it changes how the SKU is sold.
    package var units: Int64?
    /// When, RFC 3339, UTC; of summed orders when the last one was decided.
    package var at: String
    package var by: String?
    /// Of an adjustment its reason; of a cancellation its order; of a change of the catalogue the column, or what was
    /// done as a whole; of a repair where it was.
    package var detail: String?
    /// Of a change or a repair: what was there before, and since.
    package var before: String?
    package var after: String?

    package init(
        kind: Kind, position: Int64, id: String? = nil, orders: Int64? = nil, units: Int64? = nil, at: String,
        by: String? = nil, detail: String? = nil, before: String? = nil, after: String? = nil
    ) {
        self.kind = kind
        self.position = position
        self.id = id
        self.orders = orders
        self.units = units
        self.at = at
        self.by = by
        self.detail = detail
        self.before = before
        self.after = after
    }
}
