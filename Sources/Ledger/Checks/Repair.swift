import Domain
import TextEncodings

/// A difference that was found and is corrected.
package struct Repair: Sendable, Equatable {
    package enum Place: String, Sendable {
        /// The counters in Redis, which are set to the ledger's quantities.
        case counters
        /// A quantity in the ledger, which is set to the sum of the recorded changes.
        case ledger
    }

    package var place: Place
    /// `nil` for a field of the counters that belongs to no product or variant.
    package var level: CapLevel?
    /// The product's or variant's id, or the field's name.
    package var id: String
    /// The units that were found; `nil` if there were none.
    package var found: Int64?
    package var expected: Int64?
    /// A description of the difference, if it is not in the number of units.
    package var detail: String

    package init(place: Place, level: CapLevel?, id: String, found: Int64?, expected: Int64?, detail: String) {
        self.place = place
        self.level = level
        self.id = id
        self.found = found
        self.expected = expected
        self.detail = detail
    }
}

extension Repair {
    package init(_ miscount: Miscount) {
        self.init(
            place: .ledger, level: miscount.counter.level, id: miscount.counter.id.text, found: miscount.recorded,
            expected: miscount.counted, detail: miscount.column.rawValue)
    }
}
