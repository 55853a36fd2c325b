import RedisClient

/// How the consumer handles an error of Redis.
enum RedisErrorClass {
    /// The command was not executed, and waiting may help.
    case wait
    /// The command may have been executed.
    case doubt
    /// Waiting does not help: the consumer stops with this error.
    case fatal

    /// Codes of error replies that are not transient but worth waiting for, like a missing right, which an
    /// administrator may grant: a script was loaded, and flushed again before it could run; a name may lead to another
    /// node of a cluster later.
    private static let waitable: Set<String> = ["ASK", "MOVED", "NOSCRIPT"]

    /// Whether the error is an error reply of Redis.
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
