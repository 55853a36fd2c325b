import Inventory

/// A query for one product, or for the figures of several: the two reads that a sale consists of.
struct FigureQuery: Sendable {
    enum Shape: Sendable, Hashable {
        /// One product, as the catalogue describes it.
        case described
        /// The figures alone.
        case figures

        /// The route's pattern.
        var route: String {
            switch self {
            case .described: "/v1/products/{id}"
            case .figures: "/v1/availability"
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
    private let target: RequestTarget
    /// Of the one product, as the path has it.
    private let encodedID: Substring?

    private static let productPrefix = "/v1/products/"

    /// - Returns: nil: the address is another route's.
    init?(_ target: RequestTarget) {
        self.target = target
        encodedID = Self.encodedID(target.path)
        if encodedID != nil {
            shape = .described
        } else if target.path == Shape.figures.route {
            shape = .figures
        } else {
            return nil
        }
    }

    private static func encodedID(_ path: Substring) -> Substring? {
        guard path.utf8.starts(with: productPrefix.utf8) else { return nil }
        let id = path[path.utf8.index(path.startIndex, offsetBy: productPrefix.utf8.count)...]
        // A slash within an id is encoded.
        return id.isEmpty || id.utf8.contains(UInt8(ascii: "/")) ? nil : id
    }

    /// The products: at least one, each once.
    /// - Throws: `Problem` (400).
    func ids() throws -> [Identifier] {
        guard let encodedID else { return try target.products() }
        if !target.isWithoutQuery { _ = try target.parameters() }
        return [Identifier(try RequestTarget.decoded(encodedID))]
    }
}
