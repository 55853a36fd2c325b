/// The ids in a message, as far as they could be read. Its publisher uses them to find the outcome.
package struct MessageIDs: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package var order: Identifier?
    /// The ids of all kinds except orders: most messages have none.
    private var ofOthers: [Command.Kind: Identifier] = [:]

    package init(order: Identifier? = nil) { self.order = order }

    package init(dictionaryLiteral ids: (Command.Kind, Identifier?)...) {
        for (kind, id) in ids { self[kind] = id }
    }

    /// The id that the message has for this kind of command.
    package subscript(kind: Command.Kind) -> Identifier? {
        get { kind == .placeOrder ? order : ofOthers[kind] }
        set { if kind == .placeOrder { order = newValue } else { ofOthers[kind] = newValue } }
    }

    /// All ids except the order's, in the order of the kinds.
    package var others: [(kind: Command.Kind, id: Identifier)] {
        Command.Kind.allCases.compactMap { kind in ofOthers[kind].map { (kind, $0) } }
    }

    /// Returns the id as the text of a message field, empty if there is none.
    package func text(_ kind: Command.Kind) -> String { self[kind]?.text ?? "" }
}

extension MessageIDs: CustomStringConvertible {
    /// "order a, cancellation b".
    package var description: String {
        Command.Kind.allCases.compactMap { kind in self[kind].map { "\(kind.noun) \($0)" } }.joined(separator: ", ")
    }
}
