/// Names one counter: the units sold of a product (all variants together) or of a variant.
package struct CounterName: Sendable, Hashable {
    package let level: CapLevel
    package let id: Identifier

    package init(_ level: CapLevel, _ id: Identifier) {
        self.level = level
        self.id = id
    }

    /// Hashes the level as one byte: the synthesised version would hash its text.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(level == .product)
        hasher.combine(id)
    }

    package static func product(_ id: Identifier) -> CounterName { CounterName(.product, id) }
    package static func variant(_ id: Identifier) -> CounterName { CounterName(.variant, id) }
}
