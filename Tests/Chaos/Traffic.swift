import Synchronization

/// Controls which publishers may send.
final class Traffic: Sendable {
    enum Publishers: Sendable {
        /// Resend messages that have no record after a while.
        case ordinary
        /// Never resend, and therefore send only while no fault loses messages: a message that is read and then lost
        /// shows.
        case once
        /// All publishers that resend.
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

    /// The run waits for everything to be recorded: messages without a record are resent sooner.
    var isHurried: Bool {
        get { state.withLock { $0.isHurried } }
        set { state.withLock { $0.isHurried = newValue } }
    }

    func open(_ publishers: Publishers) {
        state.withLock { _ = $0.open.insert(publishers) }
    }

    /// Pauses these publishers; returns when replies to what they were sending have arrived.
    func close(_ publishers: Publishers) async throws {
        state.withLock { _ = $0.open.remove(publishers) }
        while state.withLock({ $0.sending[publishers, default: 0] }) > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Ends all publishers.
    func end() {
        state.withLock { $0.isOver = true }
    }

    /// Sends, if these publishers may do so now.
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
