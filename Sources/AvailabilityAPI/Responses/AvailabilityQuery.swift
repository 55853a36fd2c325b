import Domain

/// A query for one product, or for the availability of several: the two reads on which a sale depends.
struct AvailabilityQuery: Sendable {
    enum Shape: Sendable, Hashable {
        /// One product with its catalogue description.
        case described
        /// Availability only.
        case availability

        /// The route's pattern, for metrics.
        var route: String {
            switch self {
            case .described: "/v1/products/{id}"
            case .availability: "/v1/availability"
            }
        }

        /// Builds the response to a query of this shape.
        /// - Parameter availability: one element per requested product, in the requested order; exactly one for
        ///   `described`.
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

    /// - Returns: nil if another route serves this address.
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
        // A slash inside an id is percent-encoded.
        return !id.isEmpty && !id.contains(UInt8(ascii: "/"))
    }

    /// The requested product ids: at least one, without duplicates.
    /// - Throws: `Problem` (400).
    func ids() throws -> [Identifier] {
        switch shape {
        case .described: [try id()]
        case .availability: try target.products()
        }
    }

    /// The requested products from `catalogue`; nil if it lacks any of them.
    /// - Throws: `Problem` (400).
    func products(of catalogue: CatalogueView) throws -> [ProductView]? {
        switch shape {
        case .described: return try catalogue[id()].map { [$0] }
        case .availability:
            let ids = try target.products()
            let found = ids.compactMap { catalogue[$0] }
            return found.count == ids.count ? found : nil
        }
    }

    /// The id in the path of a `described` query.
    private func id() throws -> Identifier {
        if !target.isWithoutQuery { _ = try target.parameters() }
        let encoded = Substring(target.path.utf8.dropFirst(Self.productPrefix.utf8.count))
        return Identifier(try RequestTarget.decoded(encoded))
    }
}
