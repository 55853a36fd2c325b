import StrictJSON

/// Whether the process can do its work.
package struct HealthReport: Sendable {
    /// Why it cannot; nil if it can.
    package var trouble: String?
    /// The checks and their results, as text.
    package var checks: JSONValue

    package init(trouble: String?, checks: JSONValue) {
        self.trouble = trouble
        self.checks = checks
    }
}
