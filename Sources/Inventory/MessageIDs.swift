/// The ids that a message names, as far as they could be read: its publisher finds the outcome by them.
package struct MessageIDs: Sendable, Equatable {
    package var order: Identifier?
    package var cancellation: Identifier?
    package var adjustment: Identifier?

    package init(order: Identifier? = nil, cancellation: Identifier? = nil, adjustment: Identifier? = nil) {
        self.order = order
        self.cancellation = cancellation
        self.adjustment = adjustment
    }
}
