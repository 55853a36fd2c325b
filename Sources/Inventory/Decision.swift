/// Units wanted of one counter, summed over the lines of an order.
package struct Demand: Sendable, Equatable {
    package var counter: CounterName
    package var units: Int64

    package init(_ counter: CounterName, _ units: Int64) {
        self.counter = counter
        self.units = units
    }
}

extension Checkout {
    /// What the order asks of each counter, in the order in which its lines first name it, product before variant.
    ///
    /// The first of them that does not fit is thus the first line that fails, though the same product may stand on
    /// several lines.
    package var demand: [Demand] {
        var demand: [Demand] = []
        demand.reserveCapacity(items.count * 2)
        var position: [CounterName: Int] = [:]
        func add(_ counter: CounterName, _ units: Int64) {
            if let at = position[counter] {
                demand[at].units += units
            } else {
                position[counter] = demand.count
                demand.append(Demand(counter, units))
            }
        }
        for item in items {
            add(.product(item.productID), item.quantity)
            if let variantID = item.variantID { add(.variant(variantID), item.quantity) }
        }
        return demand
    }
}

/// Why an order was refused. The raw values are public.
package enum RefusalReason: String, Sendable, Codable {
    /// Nothing is left.
    case soldOut = "sold_out"
    /// Something is left, but less than was asked.
    case insufficient
}

/// A refusal: the first counter that has too few units.
package struct Refusal: Sendable, Equatable {
    package var counter: CounterName
    /// Units the whole order asks of that counter.
    package var asked: Int64
    /// Units that were left there.
    package var left: Int64

    package var reason: RefusalReason { left == 0 ? .soldOut : .insufficient }

    package init(counter: CounterName, asked: Int64, left: Int64) {
        self.counter = counter
        self.asked = asked
        self.left = left
    }
}

/// The gate's answer to one checkout.
package enum Decision: Sendable, Equatable {
    /// All units are taken, by the change of the counters with this `seq`.
    case accepted(seq: Int64)
    case refused(Refusal)
}
