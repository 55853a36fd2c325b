/// Units of one counter, summed over the lines of a message.
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
        lines.lazy.map { SKUUnits($0.sku, $0.quantity) }.demand(capacity: lines.count * 2)
    }
}

extension Sequence<SKUUnits> {
    /// The units per counter, in the order in which the counters are first named, product before variant.
    package func demand(capacity: Int = 0) -> [Demand] {
        let few = 8
        var demand: [Demand] = []
        demand.reserveCapacity(capacity)
        var position: [CounterName: Int] = [:]
        func place(of counter: CounterName) -> Int? {
            // Most orders name one or two counters.
            demand.count <= few ? demand.firstIndex { $0.counter == counter } : position[counter]
        }
        func add(_ counter: CounterName, _ units: Int64) {
            if let at = place(of: counter) {
                demand[at].units += units
                return
            }
            demand.append(Demand(counter, units))
            if demand.count == few + 1 {
                for (at, demand) in demand.enumerated() { position[demand.counter] = at }
            } else if demand.count > few {
                position[counter] = demand.count - 1
            }
        }
        for line in self {
            add(.product(line.sku.productID), line.units)
            if let variantID = line.sku.variantID { add(.variant(variantID), line.units) }
        }
        return demand
    }
}

/// Why an order was refused. The raw values are public.
package enum ShortageReason: String, Sendable, CaseIterable, Codable {
    /// Nothing is left.
    case soldOut = "sold_out"
    /// Something is left, but less than was asked.
    case insufficient
}

/// Why an order does not fit: the first counter that has too few units.
package struct Shortage: Sendable, Equatable {
    package var counter: CounterName
    /// Units the whole order asks of that counter.
    package var asked: Int64
    /// Units that were left there.
    package var left: Int64

    package var reason: ShortageReason { left == 0 ? .soldOut : .insufficient }

    package init(counter: CounterName, asked: Int64, left: Int64) {
        self.counter = counter
        self.asked = asked
        self.left = left
    }
}

/// What comes of one command: the gate decides it by the counters, the arbiter again by the ledger's balances.
package enum Decision: Sendable, Equatable {
    /// The counters were changed, by the change with this `seq`.
    case accepted(seq: Int64)
    /// There was nothing to change.
    case unchanged
    /// Only an order is ever refused.
    case refused(Shortage)
}
