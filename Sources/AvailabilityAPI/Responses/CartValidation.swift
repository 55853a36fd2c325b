import Hummingbird
import Domain
import StrictJSON

/// `POST /v1/cart/validate`: whether a cart could be sold unchanged, and if not, why.
///
/// The result holds for one snapshot only and reserves nothing.
struct CartValidation: Sendable {
    let reader: AvailabilityReader

    /// Maximum size of the body. Lines and quantities have the same limits as in an order.
    static let maximumBytes = 64 << 10
    private static let quantities = 1...Limit.units

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
        let lines = try Self.lines([UInt8](body.readableBytesView))
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

    // MARK: - The body

    /// The lines of a cart. Unknown members of the body are ignored.
    /// - Throws: `Problem` (400) naming every violation.
    static func lines(_ body: [UInt8]) throws -> [Line] {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body)
        } catch {
            throw Problem(.badRequest, "the body is not valid JSON: \(error)")
        }
        guard case .object(let cart) = value else { throw Problem(.badRequest, "the body must be an object") }
        guard case .array(let items) = cart["items"] else {
            throw Problem.violations([("items", "must be a list of lines")])
        }
        guard (1...Limit.items).contains(items.count) else {
            throw Problem.violations([("items", "has \(items.count) lines; it must have 1 to \(Limit.items)")])
        }
        var violations: [(path: String, detail: String)] = []
        let lines = items.enumerated().compactMap { index, item -> Line? in
            guard case .object(let object) = item else {
                violations.append(("items[\(index)]", "must be an object"))
                return nil
            }
            func identifier(_ name: String, isRequired: Bool) -> Identifier? {
                guard let value = object[name], isRequired || value != .null else {
                    if isRequired { violations.append(("items[\(index)].\(name)", "is missing")) }
                    return nil
                }
                guard case .string(let text) = value else {
                    violations.append(("items[\(index)].\(name)", "must be a string"))
                    return nil
                }
                if let violation = Identifier.violation(in: text) {
                    violations.append(("items[\(index)].\(name)", violation))
                    return nil
                }
                return Identifier(text)
            }
            let product = identifier("product_id", isRequired: true)
            let variant = identifier("variant_id", isRequired: false)
            guard case .number(let number) = object["quantity"], let units = number.integer,
                quantities.contains(units)
            else {
                violations.append(
                    (
                        "items[\(index)].quantity",
                        "must be an integer from \(quantities.lowerBound) to \(quantities.upperBound)"
                    ))
                return nil
            }
            return product.map { Line(productID: $0, variantID: variant, units: units) }
        }
        if !violations.isEmpty { throw Problem.violations(violations) }
        return lines
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
