import Domain
import Ledger
import NIOCore
import StrictJSON

/// A product as the catalogue describes it, ready to be sent: its texts are JSON already, only the figures are missing.
///
/// A class, so that requests of one moment for the same product are recognised by its identity.
final class ProductView: Sendable {
    let id: Identifier
    /// Of the catalogue that it was read from.
    let version: Int64
    let name: String
    let category: String
    /// Whether the catalogue still offers it. The counters say so, too, once the consumer has taken the catalogue over.
    let isActive: Bool
    let variants: [Variant]
    /// Names of its counters: its own, then the variants'.
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

    /// A list that the ledger holds as JSON text.
    private static func list(_ name: String, _ json: String?) -> String {
        "\"\(name)\":\(json ?? "[]")"
    }
}

/// The figures of one product at one moment.
struct ProductAvailability: Sendable {
    let product: ProductView
    /// Those of its variants that are on sale, in the order of `availability`.
    private let variants: [ProductView.Variant]
    let availability: Availability

    /// The figures as the counters of a catalogue give them. Variants that this catalogue does not have yet are left
    /// out.
    ///
    /// - Parameters:
    ///   - states: of its counters, in their order.
    ///   - catalogue: the version the counters belong to.
    /// - Returns: nil where it has none yet, or where a figure that must be there is not.
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
    /// `{"id":…, figures…, "variants":[…]}`
    func writeAvailability(into buffer: inout ByteBuffer) {
        write(into: &buffer, product.identity) { $0.identity }
    }

    /// The same with all that the catalogue says of it.
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

    /// nil is written as null.
    mutating func writeNumber(_ number: Int64?) {
        if let number { writeString(String(number)) } else { writeStaticString("null") }
    }

    /// As a JSON string, with its quotes.
    mutating func writeJSON(_ text: String) {
        writeString(JSONValue.string(text).text)
    }
}
