import Domain

/// Counters at one moment, with the state (epoch, seq) that they belong to.
package struct CounterSnapshot: Sendable {
    package var head: CounterHead
    /// The total number of fields in the hash.
    package var fields: Int64
    /// The number of fields of the head that were present, whatever their values.
    package var headFields: Int64
    /// The number of fields of these counters that were present, whatever their values.
    package var counterFields: Int64
    /// The counters in the requested order.
    package var counters: [(name: CounterName, state: CounterState)]
}
