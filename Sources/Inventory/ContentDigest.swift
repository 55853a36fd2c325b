extension Checkout {
    /// Digest of the order's content: the units per product, variant and unit price, however its lines are split or ordered.
    ///
    /// The same order id with the same digest is a replay; with another one it is a conflict. 32 bytes.
    package var contentDigest: [UInt8] {
        struct Line: Comparable {
            var product: Identifier
            var variant: Identifier?
            var unitPrice: Int64

            static func < (left: Line, right: Line) -> Bool {
                if left.product != right.product { return left.product < right.product }
                if left.variant != right.variant {
                    guard let leftVariant = left.variant else { return true }
                    guard let rightVariant = right.variant else { return false }
                    return leftVariant < rightVariant
                }
                return left.unitPrice < right.unitPrice
            }
        }
        let lines = items.map {
            (Line(product: $0.productID, variant: $0.variantID, unitPrice: $0.unitPrice), $0.quantity)
        }
        .sorted { $0.0 < $1.0 }
        // Lengths before ids: no two contents have the same bytes.
        var bytes: [UInt8] = []
        func append(_ id: Identifier) {
            bytes.append(UInt8(truncatingIfNeeded: id.text.utf8.count))
            bytes.append(contentsOf: id.text.utf8)
        }
        func append(_ number: Int64) {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        var at = lines.startIndex
        while at < lines.endIndex {
            let line = lines[at].0
            var units: Int64 = 0
            while at < lines.endIndex, lines[at].0 == line {
                units += lines[at].1
                at += 1
            }
            append(line.product)
            // 0 is no length of an id: it says that there is no variant.
            if let variant = line.variant { append(variant) } else { bytes.append(0) }
            append(line.unitPrice)
            append(units)
        }
        return SHA256.digest(bytes)
    }
}
