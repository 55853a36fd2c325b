/// Why a command has no reply. Callers must first check `mayHaveExecuted`.
package enum RedisError: Error, Sendable, Equatable {
    /// The defect of a URL. Quotes none of it: any part may contain some of the password.
    case invalidURL(String)
    /// No connection could be made: nothing was sent.
    case cannotConnect(to: String, reason: String)
    /// The connection was closed before the command was written.
    case notSent(to: String, reason: String)
    /// The connection broke while the command was in progress.
    case connectionLost(to: String, reason: String)
    /// No reply arrived in time. The connection is closed: a late reply would be paired with another command.
    case timedOut(to: String, command: String, after: Duration)
    /// The server replied with an error.
    case reply(RedisReplyError, command: String)
    /// The bytes received are not RESP2, or are a reply to no command. The connection is closed.
    case protocolViolation(to: String, detail: String)
    /// The reply is longer than `RedisOptions.maximumReplyBytes`. The connection is closed.
    case replyTooLarge(to: String, limit: Int)

    /// Whether the server may have executed the command although there is no reply. An error reply counts as *not
    /// executed*, with one exception that only the author of a script can judge: Lua does not roll back, so anything a
    /// script wrote before it failed stays written.
    package var mayHaveExecuted: Bool {
        switch self {
        case .connectionLost, .timedOut, .protocolViolation, .replyTooLarge: true
        case .invalidURL, .cannotConnect, .notSent, .reply: false
        }
    }

    /// Whether the same command may succeed later without a change of settings.
    package var mayPass: Bool {
        switch self {
        case .cannotConnect, .notSent, .connectionLost, .timedOut: true
        case .invalidURL, .protocolViolation, .replyTooLarge: false
        case .reply(let error, _):
            Self.passingCodes.contains(error.code) || error.message.hasPrefix("ERR max number of clients reached")
        }
    }

    private static let passingCodes: Set<String> = [
        "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "READONLY", "TRYAGAIN",
    ]

    /// Equal for errors that need only one line in the log, however often they are repeated.
    var kind: String {
        switch self {
        case .invalidURL: "invalid URL"
        case .cannotConnect(_, let reason): "cannot connect: \(reason)"
        case .notSent: "not sent"
        case .connectionLost: "connection lost"
        case .timedOut: "timed out"
        case .reply(let error, _): "reply: \(error.code)"
        case .protocolViolation: "protocol violation"
        case .replyTooLarge: "reply too large"
        }
    }
}

extension RedisError: CustomStringConvertible {
    /// *What failed: on what: why. What to do.* Contains the names of commands, never their arguments.
    package var description: String {
        switch self {
        case .invalidURL(let detail):
            "cannot use the Redis URL: \(detail). Write redis://[user:password@]host[:port][/database], rediss:// for "
                + "TLS, or unix:///path[?db=0]; percent-encode reserved characters (@ is %40)."
        case .cannotConnect(let server, let reason):
            "cannot connect to Redis: \(server): \(reason). Check that the server runs and that the URL is its address."
        case .notSent(let server, let reason):
            "Redis command not sent: \(server): \(reason). Send it again."
        case .connectionLost(let server, let reason):
            "connection to Redis lost: \(server): \(reason). Commands in progress may have been executed; check before "
                + "sending them again."
        case .timedOut(let server, let command, let timeout):
            "no reply from Redis: \(command) on \(server): nothing came within \(timeout). It may have been executed; "
                + "check before sending it again."
        case .reply(let error, let command):
            "Redis refused a command: \(command): \(Self.withoutArguments(error.message)). "
                + Self.remedy(error)
        case .replyTooLarge(let server, let limit):
            "a reply from Redis is too large: \(server): it has more than \(limit) bytes. Find entries or values of "
                + "that size with MEMORY USAGE."
        case .protocolViolation(let server, let detail):
            "Redis broke the protocol: \(server): \(detail). Check that the address is that of a Redis server, and not "
                + "of its TLS port or another service."
        }
    }

    /// Redis repeats the arguments of an unknown command; they must not reach a log.
    private static func withoutArguments(_ message: String) -> String {
        // A script's message may have any size.
        var text = Substring(message.unicodeScalars.prefix(maximumQuotedScalars))
        let marker = ", with args beginning with:"
        var rest = text
        while let comma = rest.firstIndex(of: ",") {
            if rest[comma...].hasPrefix(marker) {
                text = text[..<comma]
                break
            }
            rest = rest[rest.index(after: comma)...]
        }
        var quoted = ""
        for scalar in text.unicodeScalars {
            quoted.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7f ? " " : scalar)
        }
        while quoted.hasSuffix(".") { quoted.removeLast() }
        return quoted
    }

    /// Longer than every message of Redis itself.
    private static let maximumQuotedScalars = 400

    private static func remedy(_ error: RedisReplyError) -> String {
        if error.isForbidden {
            return "Grant it to the user with ACL SETUSER: config/redis.conf lists what each user needs."
        }
        return switch error.code {
        case "NOAUTH", "WRONGPASS": "Check user and password in the Redis URL."
        case "LOADING": "Wait until the server has read its data."
        case "BUSY": "Wait for the script that is running, or end it with SCRIPT KILL."
        case "READONLY", "MASTERDOWN": "Give the address of the primary, not of a replica."
        case "MOVED", "ASK":
            "This is a node of a Redis Cluster that does not hold the store's keys, and redirections are not followed: "
                + "give the address of the node that does."
        case "OOM": "Give the server more memory (maxmemory)."
        case "MISCONF": "Check the server's log: it cannot save its data."
        case "WRONGTYPE":
            "Something else uses a key of this store: find it with TYPE, and rename or delete it if it is not needed."
        case "DENIED": "Set a password on the server, or connect from its own machine."
        default: "Look up the message in the Redis documentation."
        }
    }
}
