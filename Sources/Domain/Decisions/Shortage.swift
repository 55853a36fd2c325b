/// Why an order does not fit: the first counter with too few units left.
package struct Shortage: Sendable, Equatable {
    package var counter: CounterName
    /// Units that the whole order asks for from that counter.
    package var asked: Int64
    /// Units that were left in that counter.
    package var left: Int64

    package var reason: ShortageReason { left == 0 ? .soldOut : .insufficient }

    package init(counter: CounterName, asked: Int64, left: Int64) {
        self.counter = counter
        self.asked = asked
        self.left = left
    }
}
