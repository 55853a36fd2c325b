/// The right to be the active consumer of a store. This process holds it until it releases the last reference or ends,
/// even by a crash.
package protocol Lease: AnyObject, Sendable {
    /// The note that the previous holder left.
    var previousNote: String { get }
    var previousSoundness: LedgerSoundness? { get }

    /// Replaces the note for the next holder. The note survives a crash of the process, but not necessarily of the
    /// machine.
    /// - Parameter text: one line; an empty text removes the note.
    func note(_ text: String) async

    /// Publishes a finding about the ledger's soundness, or removes the published finding if it is `nil`.
    func note(_ soundness: LedgerSoundness?) async
}

/// Grants the lease of a store to one process at a time. No call blocks a cooperative thread.
package protocol LeaseRegister: Sendable {
    /// Acquires the lease without waiting. Returns `nil` if another process holds it. Throws `LedgerError`.
    func acquire() async throws -> (any Lease)?

    /// Returns whether the lease is held, and by which process.
    func state() async -> LeaseState

    /// Returns the latest finding about damage that a holder of the lease published, or `nil` if there is none.
    func soundness() async -> LedgerSoundness?
}

package struct LeaseState: Sendable, Equatable {
    package var isHeld: Bool
    /// The id of the process that holds the lease or was the last to hold it; `nil` if unknown.
    package var process: Int32?

    package init(isHeld: Bool, process: Int32?) {
        self.isHeld = isHeld
        self.process = process
    }
}
