/// The right to be the active consumer of a store. This process holds it until the last reference is released or the
/// process ends, even by a crash.
package protocol Lease: AnyObject, Sendable {
    /// What the last holder noted.
    var previousNote: String { get }
    var previousSoundness: LedgerSoundness? { get }

    /// Replaces the note for the next holder. It survives a crash of the process, but not necessarily of the machine.
    /// - Parameter text: one line; empty: there is no note.
    func note(_ text: String) async

    /// Publishes what was found about the ledger; nil: nothing is known about this ledger.
    func note(_ soundness: LedgerSoundness?) async
}

/// Grants the lease of a store to one process at a time. No call blocks a cooperative thread.
package protocol LeaseRegister: Sendable {
    /// Takes the lease without waiting; nil: another process holds it. Errors: `LedgerError`.
    func acquire() async throws -> (any Lease)?

    /// Whether the lease is held, and by which process.
    func state() async -> LeaseState

    /// What a holder of the lease published last about damage of the ledger; nil: nothing is known.
    func soundness() async -> LedgerSoundness?
}

package struct LeaseState: Sendable, Equatable {
    package var isHeld: Bool
    /// Id of the process that holds the lease, or held it last; nil: unknown.
    package var process: Int32?

    package init(isHeld: Bool, process: Int32?) {
        self.isHeld = isHeld
        self.process = process
    }
}
