import StrictJSON

/// Whether a process can do its work for a store. The texts name neither addresses nor paths: anybody may ask.
package struct Readiness: Sendable, Equatable {
    package struct Check: Sendable, Equatable {
        package var isPassed: Bool
        package var detail: String
    }

    /// They are installed, and this ledger's.
    package var counters: Check
    /// It can be read, and as far as the system says written.
    package var ledger: Check
    /// Redis tells how many messages wait.
    package var backlog: Check

    package var isReady: Bool { counters.isPassed && ledger.isPassed && backlog.isPassed }

    /// What is wrong first; nil when ready.
    package var detail: String? {
        [("counters", counters), ("ledger", ledger), ("backlog", backlog)].first { !$0.1.isPassed }
            .map { "\($0.0): \($0.1.detail)" }
    }

    /// Each check by its name, in words.
    package var checks: JSONValue {
        .members([
            "counters": .string(counters.detail), "ledger": .string(ledger.detail), "backlog": .string(backlog.detail),
        ])
    }
}
