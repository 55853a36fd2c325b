import Synchronization

/// Signals to all waiting tasks that the consumer must stop. Work in progress may finish; a wait for an unavailable
/// resource ends.
package final class StopSignal: Sendable {
    /// Thrown by a wait that a stop request has ended.
    package struct Stopped: Error {
        package init() {}
    }

    private struct State {
        var isRequested = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var registrations = 0
    }

    private let state = Mutex(State())

    /// The clock for every wait that a stop ends.
    package let clock: any TimeSource

    package init(clock: any TimeSource = SystemClock()) { self.clock = clock }

    package var isRequested: Bool { state.withLock { $0.isRequested } }

    package func request() {
        let actions = state.withLock { state in
            state.isRequested = true
            defer { state.actions = [:] }
            return state.actions
        }
        for action in actions.values { action() }
    }

    /// Runs `action` when a stop is requested, or immediately if one has been requested.
    /// - Returns: a closure that withdraws the action.
    @discardableResult
    package func whenRequested(_ action: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        let number: Int? = state.withLock { state in
            if state.isRequested { return nil }
            state.registrations += 1
            state.actions[state.registrations] = action
            return state.registrations
        }
        guard let number else {
            action()
            return {}
        }
        return { [self] in state.withLock { _ = $0.actions.removeValue(forKey: number) } }
    }

    /// Returns when a stop is requested, or when the task is cancelled.
    package func wait() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let withdraw = whenRequested { continuation.finish() }
        defer { withdraw() }
        for await _ in stream {}
    }

    /// Sleeps for `duration`, or until a stop is requested.
    /// - Throws: `Stopped`; `CancellationError`.
    package func pause(_ duration: Duration) async throws {
        let sleep = Task { [clock] in try await clock.sleep(for: duration) }
        let withdraw = whenRequested { sleep.cancel() }
        defer { withdraw() }
        await withTaskCancellationHandler {
            _ = await sleep.result
        } onCancel: {
            sleep.cancel()
        }
        try Task.checkCancellation()
        if isRequested { throw Stopped() }
    }
}
