import StrictJSON

/// Whether the orders of a store are decided. The texts name neither addresses nor paths: anybody may ask.
package struct Readiness: Sendable, Equatable {
    package struct Check: Sendable, Equatable {
        package var isPassed: Bool
        package var detail: String
    }

    /// They are installed, this ledger's, and neither ahead of it nor behind.
    package var counters: Check
    /// It can be read, and as far as the system says written.
    package var ledger: Check
    /// Redis tells how many messages wait.
    package var backlog: Check
    /// A process on this machine is active. A standby is as ready as the one it stands by for.
    package var consumer: Check

    package var isReady: Bool { named.allSatisfy(\.check.isPassed) }

    private var named: [(name: String, check: Check)] {
        [("counters", counters), ("ledger", ledger), ("backlog", backlog), ("consumer", consumer)]
    }

    /// What is wrong first; nil when ready.
    package var detail: String? {
        named.first { !$0.check.isPassed }.map { "\($0.name): \($0.check.detail)" }
    }

    /// Each check by its name, in words.
    package var checks: JSONValue {
        var checks = JSONObject()
        for (name, check) in named { checks.append(name, .string(check.detail)) }
        return .object(checks)
    }
}
