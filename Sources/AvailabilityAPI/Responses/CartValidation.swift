import Hummingbird
import Domain

/// `POST /v1/cart/validate`: whether a cart could be sold unchanged, and if not, why.
///
/// The result holds for one snapshot only and reserves nothing.
struct CartValidation: Sendable {
    let reader: AvailabilityReader

    /// Maximum size of the body. Lines and quantities have the same limits as in an order.
    static let maximumBytes = 64 << 10

    struct Line: Sendable, Equatable {
        var productID: Identifier
        var variantID: Identifier?
        var units: Int64

        var sku: SKU { SKU(productID, variantID) }
    }

    enum Reason: String, Sendable, CaseIterable {
        /// The product does not exist, or does not have the variant.
        case unknown
        /// No longer sold.
        case closed
        /// The product has variants, and the line names none.
        case variantRequired = "variant_required"
        /// No units are left.
        case soldOut = "sold_out"
        /// Some units are left, but fewer than all lines request in total.
        case onlyNLeft = "only_n_left"
    }

    struct Verdict: Sendable, Equatable {
        var reasons: [Reason] = []
        /// Units left for this line; nil if unlimited or unknown.
        var available: Int64?
    }

    func validate(_ body: ByteBuffer, _ request: Request) async throws -> Response {
        let lines = try CartReader.lines([UInt8](body.readableBytesView))
        let (view, _, snapshot) = try await reader.read { view in lines.compactMap { view[$0.productID] } }
        let verdicts = try Self.verdicts(lines) { id in
            try view[id].flatMap { try snapshot.availability(of: $0) }?.availability
        }
        return AvailabilityResponse(snapshot.version) { buffer in
            buffer.writeStaticString(#""valid":"#)
            buffer.writeBool(verdicts.allSatisfy(\.reasons.isEmpty))
            buffer.writeStaticString(#","items":["#)
            for (index, line) in lines.enumerated() {
                if index > 0 { buffer.writeStaticString(",") }
                Self.write(line, verdicts[index], into: &buffer)
            }
            buffer.writeStaticString("]")
        }.response(to: request)
    }

    // MARK: - The rules

    /// Checks each line. Units are summed over all lines and compared at product and variant level.
    static func verdicts(
        _ lines: [Line], _ availability: (Identifier) throws -> Availability?
    ) rethrows -> [Verdict] {
        var unitsOfProduct: [Identifier: Int64] = [:]
        // Keyed by product as well: a line that names another product's variant requests none of its units.
        var unitsOfVariant: [SKU: Int64] = [:]
        var products: [Identifier: Availability] = [:]
        for line in lines {
            unitsOfProduct[line.productID, default: 0] += line.units
            if line.variantID != nil { unitsOfVariant[line.sku, default: 0] += line.units }
            if products[line.productID] == nil { products[line.productID] = try availability(line.productID) }
        }
        return lines.map { line in
            guard let product = products[line.productID] else { return Verdict(reasons: [.unknown]) }
            guard let variantID = line.variantID else {
                var verdict = verdict(product.product, unitsOfProduct[line.productID] ?? 0)
                if product.isSoldInVariants {
                    verdict.reasons.append(.variantRequired)
                    // All variants may be sold out although the product's own cap is not reached.
                    if product.product.isActive, !product.product.isAvailable,
                        !verdict.reasons.contains(.soldOut)
                    {
                        verdict.reasons.append(.soldOut)
                    }
                }
                return verdict.sorted
            }
            guard let variant = product.variants.first(where: { $0.id == variantID }) else {
                return Verdict(reasons: [.unknown])
            }
            var verdict = verdict(variant, unitsOfVariant[line.sku] ?? 0)
            // An order is accepted or refused as a whole: a product with too many units requested fails all of its
            // lines.
            let isOverAsked = product.product.available.map { (unitsOfProduct[line.productID] ?? 0) > $0 }
            if isOverAsked ?? false, !verdict.reasons.contains(.soldOut), !verdict.reasons.contains(.onlyNLeft) {
                verdict.reasons.append(.onlyNLeft)
            }
            return verdict.sorted
        }
    }

    private static func verdict(_ availability: Availability.Stock, _ units: Int64) -> Verdict {
        var verdict = Verdict(available: availability.available)
        if !availability.isActive { verdict.reasons.append(.closed) }
        if let left = availability.available, units > left {
            verdict.reasons.append(left == 0 ? .soldOut : .onlyNLeft)
        }
        return verdict
    }

    private static func write(_ line: Line, _ verdict: Verdict, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(#"{"product_id":"#)
        buffer.writeJSON(line.productID.text)
        buffer.writeStaticString(#","variant_id":"#)
        if let variant = line.variantID { buffer.writeJSON(variant.text) } else { buffer.writeStaticString("null") }
        buffer.writeStaticString(#","quantity":"#)
        buffer.writeNumber(line.units)
        buffer.writeStaticString(#","ok":"#)
        buffer.writeBool(verdict.reasons.isEmpty)
        buffer.writeStaticString(#","reasons":["#)
        buffer.writeString(verdict.reasons.map { "\"\($0.rawValue)\"" }.joined(separator: ","))
        buffer.writeStaticString(#"],"available_quantity":"#)
        buffer.writeNumber(verdict.available)
        buffer.writeStaticString("}")
    }
}

extension CartValidation.Verdict {
    /// The verdict with its reasons in declaration order.
    fileprivate var sorted: Self {
        var sorted = self
        sorted.reasons = CartValidation.Reason.allCases.filter { reasons.contains($0) }
        return sorted
    }
}
