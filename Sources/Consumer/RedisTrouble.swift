import RedisClient

/// What an error of Redis means for the consumer.
enum RedisTrouble {
    /// Nothing was executed, and waiting may help.
    case wait
    /// The command may have been executed.
    case doubt
    /// Waiting does not help: stop with its message.
    case fatal

    /// Replies that do not pass by themselves, and are waited for all the same: an administrator gives the right; a
    /// script was loaded and forgotten again before it could run; a name leads to another node of a cluster later.
    private static let waitable: Set<String> = ["ASK", "MOVED", "NOSCRIPT"]

    /// Redis itself said so.
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
