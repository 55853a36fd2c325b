import Inventory

/// A query for one product, or for the figures of several: the two reads that a sale consists of. Parses the address
/// and encodes the answer, both for the routes and for `DirectReads`.
struct FigureQuery: Sendable {
    enum Shape: Sendable, Hashable {
        /// One product, as the catalogue describes it.
        case described
        /// The figures alone.
        case figures

        /// The route's pattern.
        var route: String {
            switch self {
            case .described: PublicRoutes.productRoute
            case .figures: PublicRoutes.availabilityRoute
            }
        }

        /// - Parameter figures: of the products in their order; one, if it is described.
        func reply(_ figures: [ProductAvailability], _ moment: Moment) -> Reply {
            Reply(moment) { buffer in
                switch self {
                case .described:
                    buffer.writeStaticString(#""product":"#)
                    figures.first?.writeDescribed(into: &buffer)
                case .figures: ProductReads.write(figures, into: &buffer) { $0.writeFigures(into: &$1) }
                }
            }
        }
    }

    let shape: Shape
    /// At least one, each once.
    let ids: [Identifier]

    /// - Returns: nil: the address is another route's.
    /// - Throws: `Problem` (400).
    init?(_ target: RequestTarget) throws {
        if target.path == PublicRoutes.availabilityRoute {
            (shape, ids) = (.figures, try target.products())
        } else if let id = try PublicRoutes.productID(target.path) {
            if !target.isWithoutQuery { _ = try target.parameters() }
            (shape, ids) = (.described, [id])
        } else {
            return nil
        }
    }
}
