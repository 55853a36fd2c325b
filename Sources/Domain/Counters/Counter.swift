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

/// One counter with its cap, as read from the ledger or Redis.
package struct CounterState: Sendable, Equatable {
    /// Units sold; nil if the source has no value (unknown, which is never taken for 0).
    package var sold: Int64?
    /// The maximum number of units that may be sold; nil = unlimited.
    package var cap: Int64?
    /// Whether the catalogue still offers it. An inactive product or variant takes no new orders.
    package var isActive: Bool

    package init(sold: Int64?, cap: Int64?, isActive: Bool) {
        self.sold = sold
        self.cap = cap
        self.isActive = isActive
    }
}

/// The rule for whether units fit under a cap; both the gate and the ledger follow it.
package enum CapRule {
    /// Returns the effective cap: even an unlimited counter stays below 2^53.
    package static func effective(_ cap: Int64?) -> Int64 {
        Swift.min(cap ?? Limit.exactInteger, Limit.exactInteger)
    }

    /// Returns the units that may still be sold, never below 0 (a cap may be lowered below the sold quantity).
    package static func left(sold: Int64, cap: Int64?) -> Int64 {
        let (left, overflows) = effective(cap).subtractingReportingOverflow(sold)
        // Only a value far below 0 overflows, and only a manual write to Redis can leave one; the comparison must not
        // crash the process.
        if overflows { return sold < 0 ? .max : 0 }
        return Swift.max(left, 0)
    }
}
