/// The two levels at which sales are counted and capped.
package enum CapLevel: String, Sendable, Hashable, CaseIterable, Codable {
    case product
    case variant

    /// The letter that stands for the level in the fields of the `…:stock` hash.
    package var letter: Character {
        switch self {
        case .product: "p"
        case .variant: "v"
        }
    }
}

/// Names one counter: units sold of a product (all variants together) or of a variant.
package struct CounterName: Sendable, Hashable {
    package let level: CapLevel
    package let id: Identifier

    package init(_ level: CapLevel, _ id: Identifier) {
        self.level = level
        self.id = id
    }

    /// The level as one byte: by default its text would be hashed.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(level == .product)
        hasher.combine(id)
    }

    package static func product(_ id: Identifier) -> CounterName { CounterName(.product, id) }
    package static func variant(_ id: Identifier) -> CounterName { CounterName(.variant, id) }
}

/// One counter with its cap, as read from the ledger or Redis.
package struct CounterState: Sendable, Equatable {
    /// Units sold; nil where the source has none (unknown, which is never taken for 0).
    package var sold: Int64?
    /// Most units that may be sold; nil = unlimited.
    package var cap: Int64?
    /// Whether the catalogue still offers it; what is not active takes no new orders.
    package var isActive: Bool

    package init(sold: Int64?, cap: Int64?, isActive: Bool) {
        self.sold = sold
        self.cap = cap
        self.isActive = isActive
    }
}

/// The rule that both the gate and the ledger follow: whether units fit under a cap.
package enum CapRule {
    /// The effective cap: an unlimited counter still stays below 2^53.
    package static func effective(_ cap: Int64?) -> Int64 {
        Swift.min(cap ?? Limit.exactInteger, Limit.exactInteger)
    }

    /// Units that may still be sold, never below 0 (a cap may be lowered below what is sold).
    package static func left(sold: Int64, cap: Int64?) -> Int64 {
        let (left, overflows) = effective(cap).subtractingReportingOverflow(sold)
        // Only a value far below 0 overflows, which only a manual write to Redis can leave; the comparison must not
        // crash the process.
        if overflows { return sold < 0 ? .max : 0 }
        return Swift.max(left, 0)
    }
}
