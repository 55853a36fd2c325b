/// The ids that a message names, as far as they could be read: its publisher finds the outcome by them.
package struct MessageIDs: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package var order: Identifier?
    /// Those of all other kinds: most messages have none.
    private var ofOthers: [Command.Kind: Identifier] = [:]

    package init(order: Identifier? = nil) { self.order = order }

    package init(dictionaryLiteral ids: (Command.Kind, Identifier?)...) {
        for (kind, id) in ids { self[kind] = id }
    }

    /// The id that a message of this kind has.
    package subscript(kind: Command.Kind) -> Identifier? {
        get { kind == .placeOrder ? order : ofOthers[kind] }
        set { if kind == .placeOrder { order = newValue } else { ofOthers[kind] = newValue } }
    }

    /// All but the order's, in the order of the kinds.
    package var others: [(kind: Command.Kind, id: Identifier)] {
        Command.Kind.allCases.compactMap { kind in ofOthers[kind].map { (kind, $0) } }
    }

    /// As a message's field has it; empty where there is none.
    package func text(_ kind: Command.Kind) -> String { self[kind]?.text ?? "" }
}

extension MessageIDs: CustomStringConvertible {
    /// "order a, cancellation b".
    package var description: String {
        Command.Kind.allCases.compactMap { kind in self[kind].map { "\(kind.noun) \($0)" } }.joined(separator: ", ")
    }
}
