import Domain
import Ledger
import NIOCore
import StrictJSON

/// A product's catalogue description, encoded as JSON in advance, so that a response only adds availability.
///
/// A class, so that concurrent requests for the same product are recognised by its identity.
final class ProductView: Sendable {
    let id: Identifier
    /// The version of the catalogue that it was read from.
    let version: Int64
    let name: String
    let category: String
    /// Whether the catalogue still offers it. The counters report the same once the consumer has applied that
    /// catalogue.
    let isActive: Bool
    let variants: [Variant]
    /// The names of its counters: the product's first, then the variants'.
    let counters: [CounterName]
    /// `"id":"…"`
    let identity: String
    /// `"id":"…","name":"…"` and so on.
    let description: String

    struct Variant: Sendable {
        let id: Identifier
        let name: String
        let identity: String
        let description: String
    }

    init(_ product: ListedProduct, version: Int64) {
        id = product.id
        self.version = version
        name = product.name
        category = product.category
        isActive = product.isActive
        identity = Self.member("id", .string(product.id.text))
        description = [
            identity, Self.member("name", .string(product.name)),
            Self.member("description", product.description),
            Self.member("long_description", product.longDescription),
            Self.member("category", .string(product.category)), "\"dev_status\":\(product.devStatus)",
            "\"base_price\":\(product.basePrice)", "\"requires_assembly\":\(product.requiresAssembly)",
            Self.list("images", product.images), Self.list("specs", product.specs),
        ].joined(separator: ",")
        variants = product.variants.map { variant in
            let identity = Self.member("id", .string(variant.id.text))
            return Variant(
                id: variant.id, name: variant.name, identity: identity,
                description: [
                    identity, Self.member("name", .string(variant.name)),
                    Self.member("description", variant.description), Self.list("images", variant.images),
                    Self.list("specs", variant.specs),
                ].joined(separator: ","))
        }
        counters = [.product(product.id)] + product.variants.map { .variant($0.id) }
    }

    private static func member(_ name: String, _ value: JSONValue) -> String {
        "\"\(name)\":\(value.text)"
    }

    private static func member(_ name: String, _ text: String?) -> String {
        member(name, text.map { .string($0) } ?? .null)
    }

    /// Encodes a list that the ledger stores as JSON text.
    private static func list(_ name: String, _ json: String?) -> String {
        "\"\(name)\":\(json ?? "[]")"
    }
}

/// The availability of one product in one snapshot.
struct ProductAvailability: Sendable {
    let product: ProductView
    /// The variants that are on sale, in the order of `availability`.
    private let variants: [ProductView.Variant]
    let availability: Availability

    /// Computes availability from the state of the counters. Variants that the counters' catalogue does not have yet
    /// are left out.
    ///
    /// - Parameters:
    ///   - states: the state of `product.counters`, in that order.
    ///   - catalogue: the catalogue version that the counters belong to.
    /// - Returns: nil if the product has no counters yet, or if a counter that must exist is missing.
    init?(_ product: ProductView, _ states: ArraySlice<CounterState>, catalogue: Int64) {
        guard states.count == product.counters.count, let own = states.first, own.sold != nil else { return nil }
        let known = zip(product.variants, states.dropFirst()).filter { $0.1.sold != nil }
        if known.count < product.variants.count, known.isEmpty || product.version == catalogue { return nil }
        self.product = product
        variants = known.map(\.0)
        availability = Availability(
            product: (product.id, product.name, own), variants: known.map { ($0.0.id, $0.0.name, $0.1) })
    }
}

// MARK: - JSON

extension ProductAvailability {
    /// Writes `{"id":…,` the five members of availability and `"variants":[…]}`.
    func writeAvailability(into buffer: inout ByteBuffer) {
        write(into: &buffer, product.identity) { $0.identity }
    }

    /// Writes the same with the complete catalogue description.
    func writeDescribed(into buffer: inout ByteBuffer) {
        write(into: &buffer, product.description) { $0.description }
    }

    private func write(
        into buffer: inout ByteBuffer, _ text: String, _ variantText: (ProductView.Variant) -> String
    ) {
        availability.write(into: &buffer, product: text) { variantText(variants[$0]) }
    }
}

extension ByteBuffer {
    mutating func writeBool(_ value: Bool) {
        if value { writeStaticString("true") } else { writeStaticString("false") }
    }

    /// Writes nil as null.
    mutating func writeNumber(_ number: Int64?) {
        if let number { writeString(String(number)) } else { writeStaticString("null") }
    }

    /// Writes a JSON string, including its quotes.
    mutating func writeJSON(_ text: String) {
        writeString(JSONValue.string(text).text)
    }
}
