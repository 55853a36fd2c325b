/// A change of one column of a product's or variant's row, made by a catalogue.
package struct ColumnChange: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        /// NULL; for a cap, this means unlimited.
        case none
        case integer(Int64)
        case text(String)

        package init(_ text: String?) { self = text.map { .text($0) } ?? .none }
        package init(_ number: Int64?) { self = number.map { .integer($0) } ?? .none }
        package init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }
    }

    /// The columns with numeric values.
    package static let numbers: Set<String> = [
        "max_quantity", "base_price", "dev_status", "has_variants", "requires_assembly",
    ]

    /// The column's name, which is public.
    package var column: String
    package var before: Value
    package var after: Value

    package init(column: String, before: Value, after: Value) {
        self.column = column
        self.before = before
        self.after = after
    }

    /// `max_quantity 500 → 400` if both values are short, otherwise only the column's name.
    package var text: String {
        guard let before = words(for: before), let after = words(for: after) else { return column }
        return "\(column) \(before) → \(after)"
    }

    /// Returns the value as displayed, or `nil` if it is too long.
    package func words(for value: Value) -> String? {
        switch value {
        case .none: column == "max_quantity" ? "unlimited" : "none"
        case .integer(let number): String(number)
        case .text(let text): text.count <= 30 ? "\"\(text)\"" : nil
        }
    }
}
