/// The two levels at which sales are counted and capped.
package enum CapLevel: String, Sendable, Hashable, CaseIterable, Codable {
    case product
    case variant

    /// The letter for the level in the field names of the `…:stock` hash.
    package var letter: Character {
        switch self {
        case .product: "p"
        case .variant: "v"
        }
    }
}
