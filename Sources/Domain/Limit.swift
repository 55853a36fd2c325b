/// Limits of numbers that come from outside.
package enum Limit {
    /// Largest integer that Lua (doubles), JSON readers and SQLite all keep exactly: 2^53 − 1.
    /// Sums of money and sold quantities stay at or below it.
    package static let exactInteger: Int64 = (1 << 53) - 1
    /// Units on one line of an order.
    package static let units: Int64 = 1_000_000
    /// Units one adjustment may add or take away.
    package static let adjustment: Int64 = 1_000_000_000
    /// Lines of one message.
    package static let items = 2_000
    /// A message's payload, in bytes.
    package static let payloadBytes = 1 << 20
}
