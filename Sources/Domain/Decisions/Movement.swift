/// The change of one counter by one decision.
package struct Movement: Sendable, Equatable {
    package var counter: CounterName
    /// Added to the counter's sold units; the gate changes its counters by this.
    package var sold: Int64
    /// Added to the sold units that no order owns (`Balance.adjusted`), which only the ledger counts.
    package var adjusted: Int64

    package init(_ counter: CounterName, sold: Int64 = 0, adjusted: Int64 = 0) {
        self.counter = counter
        self.sold = sold
        self.adjusted = adjusted
    }
}

extension Sequence<SKUUnits> {
    /// Sums the units into one movement per counter, in the order in which the lines first name the counters, product
    /// before variant. So the first movement of an order that does not fit belongs to the first line that fails, even
    /// if one product is on several lines.
    ///
    /// - Parameters:
    ///   - sold: the factor by which the units count as sold: 1, 0 or −1.
    ///   - adjusted: the factor by which they count as units that no order owns.
    package func movements(sold: Int64 = 0, adjusted: Int64 = 0, capacity: Int = 0) -> [Movement] {
        let few = 8
        var movements: [Movement] = []
        movements.reserveCapacity(capacity)
        var position: [CounterName: Int] = [:]
        func place(of counter: CounterName) -> Int? {
            // Most orders name one or two counters.
            movements.count <= few ? movements.firstIndex { $0.counter == counter } : position[counter]
        }
        func add(_ counter: CounterName, _ units: Int64) {
            if let at = place(of: counter) {
                movements[at].sold += sold * units
                movements[at].adjusted += adjusted * units
                return
            }
            movements.append(Movement(counter, sold: sold * units, adjusted: adjusted * units))
            if movements.count == few + 1 {
                for (at, movement) in movements.enumerated() { position[movement.counter] = at }
            } else if movements.count > few {
                position[counter] = movements.count - 1
            }
        }
        for line in self {
            add(.product(line.sku.productID), line.units)
            if let variantID = line.sku.variantID { add(.variant(variantID), line.units) }
        }
        return movements
    }
}
