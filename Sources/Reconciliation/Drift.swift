import Domain
import Ledger

/// A counter that differs from the state that the ledger implies.
package struct Drift: Sendable, Equatable {
    package var comparison: CounterComparison
    /// Recorded changes that explain the drift: the counter lacks them, as if they had not happened.
    package var explanation: [RecordedChange] = []

    package var counter: CounterName { comparison.counter }
}
