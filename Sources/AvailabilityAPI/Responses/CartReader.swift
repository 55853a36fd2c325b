import Domain
import StrictJSON

/// Reads a cart from the body of a request, and collects every violation instead of stopping at the first.
struct CartReader {
    typealias Line = CartValidation.Line

    private static let quantities = 1...Limit.units
    private var violations: [(path: String, detail: String)] = []

    /// The lines of a cart. Unknown members of the body are ignored.
    /// - Throws: `Problem` (400) naming every violation.
    static func lines(_ body: [UInt8]) throws -> [Line] {
        let items = try items(body)
        var reader = CartReader()
        let lines = items.enumerated().compactMap { index, item in reader.line(item, at: "items[\(index)]") }
        if !reader.violations.isEmpty { throw Problem.violations(reader.violations) }
        return lines
    }

    private static func items(_ body: [UInt8]) throws -> [JSONValue] {
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
        return items
    }

    /// - Returns: nil if the line has a violation.
    private mutating func line(_ item: JSONValue, at path: String) -> Line? {
        guard case .object(let object) = item else {
            violations.append((path, "must be an object"))
            return nil
        }
        let before = violations.count
        let product = identifier(object["product_id"], at: "\(path).product_id", isRequired: true)
        let variant = identifier(object["variant_id"], at: "\(path).variant_id", isRequired: false)
        let units = units(object["quantity"], at: "\(path).quantity")
        guard violations.count == before, let product, let units else { return nil }
        return Line(productID: product, variantID: variant, units: units)
    }

    private mutating func identifier(_ value: JSONValue?, at path: String, isRequired: Bool) -> Identifier? {
        guard let value, isRequired || value != .null else {
            if isRequired { violations.append((path, "is missing")) }
            return nil
        }
        guard case .string(let text) = value else {
            violations.append((path, "must be a string"))
            return nil
        }
        if let violation = Identifier.violation(in: text) {
            violations.append((path, violation))
            return nil
        }
        return Identifier(text)
    }

    private mutating func units(_ value: JSONValue?, at path: String) -> Int64? {
        if case .number(let number) = value, let units = number.integer, Self.quantities.contains(units) {
            return units
        }
        let (least, most) = (Self.quantities.lowerBound, Self.quantities.upperBound)
        violations.append((path, "must be an integer from \(least) to \(most)"))
        return nil
    }
}
