import Synchronization

/// Why a connection is closed, once it is; readable from any thread.
final class CloseReason: Sendable {
    private let cause = Mutex<(reason: String, isAbandoned: Bool)?>(nil)

    var text: String? { cause.withLock { $0?.reason } }
    /// Whether this side gave the connection up (`RedisConnection.abandon`).
    var isAbandoned: Bool { cause.withLock { $0?.isAbandoned ?? false } }

    /// The first reason stays: the later ones are its consequences.
    func set(_ reason: String, isAbandoned: Bool = false) {
        cause.withLock { if $0 == nil { $0 = (reason, isAbandoned) } }
    }
}
