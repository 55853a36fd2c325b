import Synchronization

/// Lets one caller wait for one result from an event loop.
///
/// The caller may be cancelled at any time: it continues immediately, and the result is dropped on arrival. The code
/// that pairs replies with commands does not need to know.
final class ReplyPromise<Value: Sendable>: Sendable {
    private enum State: Sendable {
        case unasked
        case awaited(CheckedContinuation<Value, any Error>)
        case over
    }

    private let state = Mutex(State.unasked)

    /// Calls `ask`, unless the task is already cancelled, and waits until `succeed` or `fail` is called.
    func value(_ ask: () -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isWanted = state.withLock { state in
                    guard case .unasked = state else { return false }
                    state = .awaited(continuation)
                    return true
                }
                if isWanted { ask() } else { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            fail(CancellationError())
        }
    }

    /// Whether the caller no longer waits, so that there is no need to begin.
    var isOver: Bool {
        state.withLock { if case .over = $0 { true } else { false } }
    }

    /// - Returns: whether the caller received it.
    @discardableResult
    func succeed(_ value: Value) -> Bool {
        guard let continuation = take() else { return false }
        continuation.resume(returning: value)
        return true
    }

    func fail(_ error: any Error) {
        take()?.resume(throwing: error)
    }

    private func take() -> CheckedContinuation<Value, any Error>? {
        state.withLock { state in
            defer { state = .over }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
    }
}
