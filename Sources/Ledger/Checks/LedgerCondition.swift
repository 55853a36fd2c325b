/// The state of a ledger's storage, as far as it can be determined without writing.
package struct LedgerCondition: Sendable, Equatable {
    /// Why the ledger cannot be written. It contains no path, because it may be shown to anyone. `nil` if no obstacle
    /// was found; a write may still fail.
    package var obstacle: String?
    /// A warning for the operator about something that works but should be checked; `nil` if there is none.
    package var notice: String?
    /// Size in bytes, including the log.
    package var bytes: Int64
    /// Size of the log in bytes; 0 if the backend has none.
    package var logBytes: Int64

    package init(obstacle: String? = nil, notice: String? = nil, bytes: Int64 = 0, logBytes: Int64 = 0) {
        self.obstacle = obstacle
        self.notice = notice
        self.bytes = bytes
        self.logBytes = logBytes
    }
}
