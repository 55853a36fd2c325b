import Synchronization

/// Which publishers may send now.
final class Traffic: Sendable {
    enum Publishers: Sendable {
        /// Send again what has no record after a while.
        case ordinary
        /// Never send again, and so only while nothing loses messages: what was read and then lost cannot hide.
        case once
        /// Those who send again what has no record.
        case again
    }

    private struct State {
        var open: Set<Publishers> = []
        var sending: [Publishers: Int] = [:]
        var isOver = false
        var isHurried = false
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.isOver } }

    /// The run waits for everything to be recorded: what has no record is sent again sooner.
    var isHurried: Bool {
        get { state.withLock { $0.isHurried } }
        set { state.withLock { $0.isHurried = newValue } }
    }

    func open(_ publishers: Publishers) {
        state.withLock { _ = $0.open.insert(publishers) }
    }

    /// From now on they rest; returns when what they were sending is answered.
    func close(_ publishers: Publishers) async throws {
        state.withLock { _ = $0.open.remove(publishers) }
        while state.withLock({ $0.sending[publishers, default: 0] }) > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// All publishers come to their end.
    func end() {
        state.withLock { $0.isOver = true }
    }

    /// Sends, if these publishers may now.
    func send(_ publishers: Publishers, _ body: () async -> Void) async {
        let mayNow = state.withLock { state in
            guard state.open.contains(publishers) else { return false }
            state.sending[publishers, default: 0] += 1
            return true
        }
        guard mayNow else { return }
        await body()
        state.withLock { $0.sending[publishers, default: 0] -= 1 }
    }
}
