/// The rule for whether units fit under a cap; both the gate and the ledger follow it.
package enum CapRule {
    /// Returns the effective cap: even an unlimited counter stays below 2^53.
    package static func effective(_ cap: Int64?) -> Int64 {
        Swift.min(cap ?? Limit.exactInteger, Limit.exactInteger)
    }

    /// Returns the units that may still be sold, never below 0 (a cap may be lowered below the sold quantity).
    package static func left(sold: Int64, cap: Int64?) -> Int64 {
        let (left, overflows) = effective(cap).subtractingReportingOverflow(sold)
        // Only a value far below 0 overflows, and only a manual write to Redis can leave one; the comparison must not
        // crash the process.
        if overflows { return sold < 0 ? .max : 0 }
        return Swift.max(left, 0)
    }
}
