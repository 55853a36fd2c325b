/// The item that one line of a message names: a product, or a variant of one.
package struct SKU: Sendable, Hashable, Comparable {
    package var productID: Identifier
    package var variantID: Identifier?

    package init(_ productID: Identifier, _ variantID: Identifier? = nil) {
        self.productID = productID
        self.variantID = variantID
    }

    /// The counters of this SKU, product before variant.
    package var counters: [CounterName] {
        variantID.map { [.product(productID), .variant($0)] } ?? [.product(productID)]
    }

    package static func < (left: SKU, right: SKU) -> Bool {
        if left.productID != right.productID { return left.productID < right.productID }
        guard let leftVariant = left.variantID else { return right.variantID != nil }
        guard let rightVariant = right.variantID else { return false }
        return leftVariant < rightVariant
    }
}

extension Sequence<SKUUnits> {
    /// Each SKU once, with its units summed, in the order in which the SKUs are first named.
    package var summed: [SKUUnits] {
        var sums: [SKUUnits] = []
        var position: [SKU: Int] = [:]
        for line in self {
            if let at = position[line.sku] {
                sums[at].units += line.units
            } else {
                position[line.sku] = sums.count
                sums.append(line)
            }
        }
        return sums
    }
}
