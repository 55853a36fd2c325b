/// Grants the lease of a store to one process at a time. No call blocks a cooperative thread.
package protocol LeaseRegister: Sendable {
    /// Acquires the lease without waiting. Returns `nil` if another process holds it. Throws `LedgerError`.
    func acquire() async throws -> (any Lease)?

    /// Returns whether the lease is held, and by which process.
    func state() async -> LeaseState

    /// Returns the latest finding about damage that a holder of the lease published, or `nil` if there is none.
    func soundness() async -> LedgerSoundness?
}
