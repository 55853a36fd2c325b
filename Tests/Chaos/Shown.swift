import Foundation
import Synchronization

/// A snapshot of the shop that one reader was shown over HTTP.
struct Shown: Sendable {
    struct Stock: Decodable, Sendable {
        var id: String
        var isActive: Bool
        var cap: Int?
        var sold: Int
        var available: Int?
        var isAvailable: Bool
        /// The variants of a product.
        var variants: [Stock]?

        /// After `convertFromSnakeCase`.
        private enum CodingKeys: String, CodingKey {
            case id, isActive, isAvailable, variants
            case cap = "maxQuantity"
            case sold = "soldQuantity"
            case available = "availableQuantity"
        }
    }

    /// The body of a response, and the data of an event.
    struct Body: Decodable, Sendable {
        var source: String
        var epoch: Int64
        var seq: Int64
        var products: [Stock]

        static func decode(_ bytes: Data) throws -> Body {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Body.self, from: bytes)
        }
    }

    /// "events 3 of server 2".
    var reader: String
    var body: Body
    var at: Date
    /// The availability may be newer than the state that is named.
    var mayBeNewer = false
}

/// Everything that readers were shown.
final class ShownHistory: Sendable {
    private let state = Mutex([Shown]())

    func append(_ shown: Shown) { state.withLock { $0.append(shown) } }

    /// In the order in which each reader saw it.
    var all: [Shown] { state.withLock { $0 } }
}
