/// Limits on numbers in external input.
package enum Limit {
    /// The largest integer that Lua (doubles), JSON parsers and SQLite all represent exactly: 2^53 − 1. Sums of money
    /// and sold quantities stay at or below it.
    package static let exactInteger: Int64 = (1 << 53) - 1
    /// Maximum units on one line of an order.
    package static let units: Int64 = 1_000_000
    /// Maximum units that one adjustment may add or remove.
    package static let adjustment: Int64 = 1_000_000_000
    /// Maximum lines of one message.
    package static let items = 2_000
    /// Maximum size of a message's payload, in bytes.
    package static let payloadBytes = 1 << 20
}
