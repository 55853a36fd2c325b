import Domain
import TextEncodings

/// A quantity that differs from the sum of the recorded changes.
package struct Miscount: Sendable, Equatable {
    package enum Column: String, Sendable {
        case sold = "sold_quantity"
        case adjusted = "adjusted_quantity"
    }

    package var counter: CounterName
    package var column: Column
    /// The quantity stored in the product's or variant's row.
    package var recorded: Int64
    /// The sum of the SKU's orders, cancellations and adjustments.
    package var counted: Int64

    package init(counter: CounterName, column: Column, recorded: Int64, counted: Int64) {
        self.counter = counter
        self.column = column
        self.recorded = recorded
        self.counted = counted
    }
}
