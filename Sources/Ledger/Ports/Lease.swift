/// The right to be the active consumer of a store, held by this process until the last reference to it is gone, or the
/// process ends, however it ends.
package protocol Lease: AnyObject, Sendable {
    /// What the last holder noted.
    var previousNote: String { get }
    var previousSoundness: LedgerSoundness? { get }

    /// Leaves a line for the next holder. It survives the end of the process; not necessarily that of the machine.
    func note(_ text: String) async

    /// Publishes what was found about the ledger; nil: nothing is known about this ledger.
    func note(_ soundness: LedgerSoundness?) async
}

/// Where the lease of a store is given to one process at a time. No call blocks a cooperative thread.
package protocol LeaseRegister: Sendable {
    /// The lease; nil while another process has it.
    func acquire() async throws -> (any Lease)?

    /// Who has it now.
    func state() async -> LeaseState

    /// What was found about the ledger last, by whichever process had the lease.
    func soundness() async -> LedgerSoundness?
}

package struct LeaseState: Sendable, Equatable {
    package var isHeld: Bool
    /// The process that has it, or had it last; nil: unknown.
    package var process: Int32?

    package init(isHeld: Bool, process: Int32?) {
        self.isHeld = isHeld
        self.process = process
    }
}
