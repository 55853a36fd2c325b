import Ledger
import Synchronization

/// The lease of a ledger in memory, held by a task instead of a process.
package final class MemoryLeaseRegister: LeaseRegister {
    fileprivate struct State {
        var isHeld = false
        var note = ""
        var soundness: LedgerSoundness?
    }

    fileprivate let shared = Mutex(State())

    package func acquire() async throws -> (any Lease)? {
        shared.withLock { state in
            if state.isHeld { return nil }
            state.isHeld = true
            return MemoryLease(self, state)
        }
    }

    package func state() async -> LeaseState {
        LeaseState(isHeld: shared.withLock { $0.isHeld }, process: nil)
    }

    package func soundness() async -> LedgerSoundness? { shared.withLock { $0.soundness } }
}

private final class MemoryLease: Lease {
    private let register: MemoryLeaseRegister
    let previousNote: String
    let previousSoundness: LedgerSoundness?

    init(_ register: MemoryLeaseRegister, _ before: MemoryLeaseRegister.State) {
        self.register = register
        (previousNote, previousSoundness) = (before.note, before.soundness)
    }

    deinit { register.shared.withLock { $0.isHeld = false } }

    func note(_ text: String) { register.shared.withLock { $0.note = text } }

    func note(_ soundness: LedgerSoundness?) { register.shared.withLock { $0.soundness = soundness } }
}
