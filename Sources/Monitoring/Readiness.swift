import StrictJSON

/// Whether the orders of a store are being decided. The texts contain neither addresses nor paths: anyone may read
/// them.
package struct Readiness: Sendable, Equatable {
    package struct Check: Sendable, Equatable {
        package var isPassed: Bool
        package var detail: String
    }

    /// The counters are installed, belong to this ledger, and are neither ahead of it nor behind it.
    package var counters: Check
    /// The ledger can be read and, as far as the system reports, written.
    package var ledger: Check
    /// Redis reports how many messages are waiting.
    package var backlog: Check
    /// A process on this machine is active. A standby is as ready as the active process.
    package var consumer: Check

    package var isReady: Bool { named.allSatisfy(\.check.isPassed) }

    private var named: [(name: String, check: Check)] {
        [("counters", counters), ("ledger", ledger), ("backlog", backlog), ("consumer", consumer)]
    }

    /// The first failed check; `nil` if ready.
    package var detail: String? {
        named.first { !$0.check.isPassed }.map { "\($0.name): \($0.check.detail)" }
    }

    /// The detail of each check, by the name of the check.
    package var checks: JSONValue {
        var checks = JSONObject()
        for (name, check) in named { checks.append(name, .string(check.detail)) }
        return .object(checks)
    }
}
