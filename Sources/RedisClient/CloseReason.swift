import Synchronization

/// Why a connection was closed. Readable from any thread.
final class CloseReason: Sendable {
    private let cause = Mutex<(reason: String, isAbandoned: Bool)?>(nil)

    var text: String? { cause.withLock { $0?.reason } }
    /// Whether this side abandoned the connection (`RedisConnection.abandon`).
    var isAbandoned: Bool { cause.withLock { $0?.isAbandoned ?? false } }

    /// Keeps the first reason: later ones are its consequences.
    func set(_ reason: String, isAbandoned: Bool = false) {
        cause.withLock { if $0 == nil { $0 = (reason, isAbandoned) } }
    }
}
