import Domain

/// A query for one product, or for the figures of several: the two reads that a sale consists of.
struct AvailabilityQuery: Sendable {
    enum Shape: Sendable, Hashable {
        /// One product, as the catalogue describes it.
        case described
        /// The figures alone.
        case availability

        /// The route's pattern.
        var route: String {
            switch self {
            case .described: "/v1/products/{id}"
            case .availability: "/v1/availability"
            }
        }

        /// - Parameter figures: of the products in their order; one, if it is described.
        func response(_ availability: [ProductAvailability], _ version: SnapshotVersion) -> AvailabilityResponse {
            AvailabilityResponse(version) { buffer in
                switch self {
                case .described:
                    buffer.writeStaticString(#""product":"#)
                    availability.first?.writeDescribed(into: &buffer)
                case .availability: ProductReads.write(availability, into: &buffer) { $0.writeAvailability(into: &$1) }
                }
            }
        }
    }

    let shape: Shape
    private let target: RequestTarget

    private static let productPrefix = "/v1/products/"

    /// - Returns: nil: the address is another route's.
    init?(_ target: RequestTarget) {
        self.target = target
        if Self.isOfProduct(target.path) {
            shape = .described
        } else if target.path == Shape.availability.route {
            shape = .availability
        } else {
            return nil
        }
    }

    private static func isOfProduct(_ path: Substring) -> Bool {
        guard path.utf8.starts(with: productPrefix.utf8) else { return false }
        let id = path.utf8.dropFirst(productPrefix.utf8.count)
        // A slash within an id is encoded.
        return !id.isEmpty && !id.contains(UInt8(ascii: "/"))
    }

    /// The products: at least one, each once.
    /// - Throws: `Problem` (400).
    func ids() throws -> [Identifier] {
        switch shape {
        case .described: [try id()]
        case .availability: try target.products()
        }
    }

    /// The same, of a catalogue; nil: it lacks some.
    func products(of catalogue: CatalogueView) throws -> [ProductView]? {
        switch shape {
        case .described: return try catalogue[id()].map { [$0] }
        case .availability:
            let ids = try target.products()
            let found = ids.compactMap { catalogue[$0] }
            return found.count == ids.count ? found : nil
        }
    }

    /// Of the one product.
    private func id() throws -> Identifier {
        if !target.isWithoutQuery { _ = try target.parameters() }
        let encoded = Substring(target.path.utf8.dropFirst(Self.productPrefix.utf8.count))
        return Identifier(try RequestTarget.decoded(encoded))
    }
}
