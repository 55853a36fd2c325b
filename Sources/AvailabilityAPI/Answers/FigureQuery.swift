import Inventory

/// A query for one product, or for the figures of several: the two reads that a sale consists of.
struct FigureQuery: Sendable {
    enum Shape: Sendable, Hashable {
        /// One product, as the catalogue describes it.
        case described
        /// The figures alone.
        case figures

        private static let productPrefix = "/v1/products/"

        /// - Returns: nil: the address is another route's.
        init?(of target: RequestTarget) {
            if target.path == Shape.figures.route {
                self = .figures
            } else if Self.encodedProductID(target.path) != nil {
                self = .described
            } else {
                return nil
            }
        }

        /// The route's pattern.
        var route: String {
            switch self {
            case .described: "/v1/products/{id}"
            case .figures: "/v1/availability"
            }
        }

        /// The id in the path of a product; nil: it is another path.
        fileprivate static func encodedProductID(_ path: Substring) -> Substring? {
            guard path.utf8.starts(with: productPrefix.utf8) else { return nil }
            let id = path[path.utf8.index(path.startIndex, offsetBy: productPrefix.utf8.count)...]
            // A slash within an id is encoded.
            return id.isEmpty || id.utf8.contains(UInt8(ascii: "/")) ? nil : id
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

    /// - Parameter shape: that of `target`.
    /// - Throws: `Problem` (400).
    init(_ shape: Shape, _ target: RequestTarget) throws {
        self.shape = shape
        switch shape {
        case .figures: ids = try target.products()
        case .described:
            if !target.isWithoutQuery { _ = try target.parameters() }
            ids = try Shape.encodedProductID(target.path).map { [Identifier(try RequestTarget.decoded($0))] } ?? []
        }
    }
}
