import Synchronization

/// Says that the consumer is to stop, to whatever waits.
package final class StopSignal: Sendable {
    /// Thrown out of a wait that the stop has ended.
    package struct Stopped: Error {}

    private struct State {
        var isRequested = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isRequested: Bool { state.withLock { $0.isRequested } }

    package func request() {
        let actions = state.withLock { state in
            state.isRequested = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Runs `action` when the stop is requested; at once if it has been.
    func whenRequested(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isRequested { state.actions.append(action) }
            return state.isRequested
        }
        if isLate { action() }
    }

    /// Waits, but not past a stop (by more than a tenth of a second).
    package func pause(_ duration: Duration) async throws {
        var left = duration
        while left > .zero {
            if isRequested { throw Stopped() }
            let step = min(left, .milliseconds(100))
            try await Task.sleep(for: step)
            left -= step
        }
        if isRequested { throw Stopped() }
    }
}

/// Growing waits between attempts: 50 ms, doubled up to 2 s, with up to a quarter more at random so that many waiting
/// processes do not come back in step.
struct Backoff {
    private var next = Duration.milliseconds(50)

    mutating func delay() -> Duration {
        let delay = next
        next = min(next * 2, .seconds(2))
        return delay + delay * Double.random(in: 0...0.25)
    }
}
