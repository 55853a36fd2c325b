import RedisClient

/// What an error of Redis means for the consumer.
enum RedisErrorClass {
    /// Nothing was executed, and waiting may help.
    case wait
    /// The command may have been executed.
    case doubt
    /// Waiting does not help: stop with its message.
    case fatal

    /// Replies that are not transient, but worth waiting for: an administrator may grant the right; a script was loaded
    /// and forgotten again before it could run; a name may lead to another node of a cluster later.
    private static let waitable: Set<String> = ["ASK", "MOVED", "NOSCRIPT"]

    /// Whether the error is a reply of Redis.
    static func isReply(_ error: any Error) -> Bool {
        if case .reply? = error as? RedisError { true } else { false }
    }

    init(_ error: any Error) {
        guard let error = error as? RedisError else {
            self = .fatal
            return
        }
        switch error {
        case .cannotConnect, .notSent: self = .wait
        case .connectionLost, .timedOut, .protocolViolation, .replyTooLarge: self = .doubt
        case .reply(let reply, _):
            let passes =
                error.mayPass || reply.isForbidden || reply.isNotThePrimary || Self.waitable.contains(reply.code)
            self = passes ? .wait : .fatal
        case .invalidURL: self = .fatal
        }
    }
}
