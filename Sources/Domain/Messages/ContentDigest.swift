import Cryptography

// Digests of a message's content, 32 bytes each. The same id with the same digest is a replay; with a different digest
// it is a conflict. The ledger keeps digests permanently, so their input must never change.

extension Checkout {
    /// The digest of the units per product, variant and unit price, however the lines are split or ordered.
    package var contentDigest: [UInt8] {
        var content = DigestContent()
        // Most orders have one line.
        let sorted = lines.count == 1 ? lines : lines.sorted(by: Self.precedes)
        var at = sorted.startIndex
        while at < sorted.endIndex {
            let line = sorted[at]
            var units: Int64 = 0
            while at < sorted.endIndex, sorted[at].sku == line.sku, sorted[at].unitPrice == line.unitPrice {
                units += sorted[at].units
                at += 1
            }
            content.append(line.sku)
            content.append(line.unitPrice)
            content.append(units)
        }
        return content.digest
    }

    private static func precedes(_ left: Line, _ right: Line) -> Bool {
        left.sku == right.sku ? left.unitPrice < right.unitPrice : left.sku < right.sku
    }
}

extension Cancellation {
    /// Digests the order, whether the units are restocked, and the units asked for per product and variant.
    static func contentDigest(order: Identifier, items: [SKUUnits]?, restock: Bool) -> [UInt8] {
        var content = DigestContent()
        content.append(order)
        content.append(restock ? 1 : 0)
        content.append(items == nil ? 0 : 1)
        for item in (items ?? []).summed.sorted(by: { $0.sku < $1.sku }) {
            content.append(item.sku)
            content.append(item.units)
        }
        return content.digest
    }
}

extension Adjustment {
    /// Digests the product, the variant and the units, but not the reason.
    static func contentDigest(_ sku: SKU, units: Int64) -> [UInt8] {
        var content = DigestContent()
        content.append(sku)
        content.append(units)
        return content.digest
    }
}

extension Payment {
    /// Digests an order's id and payment intent. The digest only identifies a payment of that order. A missing intent
    /// counts as an empty one.
    package static func digest(order: Identifier, intentID: String?) -> [UInt8] {
        var content = DigestContent()
        content.append(order)
        content.appendLast(intentID ?? "")
        return content.digest
    }
}

/// The bytes that a digest is computed from. Each id is preceded by its length, so different contents never have the
/// same bytes.
struct DigestContent {
    private var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(128) }

    mutating func append(_ id: Identifier) {
        bytes.append(UInt8(truncatingIfNeeded: id.text.utf8.count))
        bytes.append(contentsOf: id.text.utf8)
    }

    mutating func append(_ sku: SKU) {
        append(sku.productID)
        // An id never has length 0, so 0 means no variant.
        if let variant = sku.variantID { append(variant) } else { bytes.append(0) }
    }

    mutating func append(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends text of any length without its length, so nothing may follow it.
    mutating func appendLast(_ text: String) { bytes.append(contentsOf: text.utf8) }

    var digest: [UInt8] { SHA256.digest(bytes) }
}
