import RedisClient

/// How the consumer handles an error of Redis.
enum RedisErrorClass {
    /// The command was not executed, and waiting may help.
    case wait
    /// The command may have been executed.
    case doubt
    /// Waiting does not help: the consumer stops with this error.
    case fatal

    /// Codes of error replies that are not transient but may be resolved from outside, as a missing permission may be
    /// by an administrator: a script was loaded but flushed before it could run; a host name may later lead to another
    /// node of a cluster.
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
