import Domain

/// The kind of a journal row. The raw values are public.
package enum JournalKind: RawRepresentable, Hashable, Sendable, CaseIterable {
    case command(Command.Kind)
    case deadLetter
    /// A catalogue change.
    case catalogue

    package static let allCases = Command.Kind.allCases.map(JournalKind.command) + [.deadLetter, .catalogue]

    package var rawValue: String {
        switch self {
        case .command(let kind): kind.noun
        case .deadLetter: "dead_letter"
        case .catalogue: "catalogue"
        }
    }

    package init?(rawValue: String) {
        guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = kind
    }

    package init(_ kind: Command.Kind) { self = .command(kind) }

    package static let order = command(.placeOrder)
}
