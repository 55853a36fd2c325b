import Synchronization

/// Signals everything that waits that the consumer must stop. Work in progress may finish; a wait for something
/// unavailable ends.
package final class StopSignal: Sendable {
    /// Thrown by a wait that the stop has ended.
    package struct Stopped: Error {
        package init() {}
    }

    private struct State {
        var isRequested = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var registrations = 0
    }

    private let state = Mutex(State())

    /// By which everything waits that the stop ends.
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

    /// Runs `action` when the stop is requested; at once if it has been.
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

    /// Returns when the stop is requested, or when the task is cancelled.
    package func wait() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let withdraw = whenRequested { continuation.finish() }
        defer { withdraw() }
        for await _ in stream {}
    }

    /// Waits, but not past a stop.
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
