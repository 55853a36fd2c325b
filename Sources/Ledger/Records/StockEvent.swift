import Domain

/// An event that changed the units sold of one product or variant, or how it may be sold.
package struct StockEvent: Sendable, Equatable {
    /// The raw values are public.
    package enum Kind: String, Sendable {
        /// All accepted orders between the previous event and the next, summed.
        case orders
        case order
        case cancellation
        case adjustment
        case catalogue
        case repair
    }

    package var kind: Kind
    /// The position in the journal: for summed orders, that of the last order; for a repair, that of the row before its
    /// epoch.
    package var position: Int64
    /// The id of the command, the version of a catalogue change, or the epoch of a repair; `nil` for summed orders.
    package var id: String?
    /// The number of summed orders; `nil` for other events.
    package var orders: Int64?
    /// The units that the event added to the units sold; `nil` if it changes how the SKU is sold.
    package var units: Int64?
    /// RFC 3339, UTC; for summed orders, when the last one was decided.
    package var at: String
    package var by: String?
    /// The reason for an adjustment; the order of a cancellation; the changed column, or the kind of change, for a
    /// catalogue change; the place of a repair.
    package var detail: String?
    /// The values before and after a catalogue change or a repair.
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
