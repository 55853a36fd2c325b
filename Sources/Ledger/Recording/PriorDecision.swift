import Domain

/// The recorded decision on a command, as needed to handle a replay of it.
package struct PriorDecision: Sendable, Equatable {
    package var digest: [UInt8]
    /// The outcome to announce for it, possibly for the second time.
    package var outcome: RecordedOutcome

    package init(digest: [UInt8], outcome: RecordedOutcome) {
        self.digest = digest
        self.outcome = outcome
    }
}
