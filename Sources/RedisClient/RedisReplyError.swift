/// An error reply of the server.
package struct RedisReplyError: Error, Sendable, Equatable {
    /// The first word if it is upper-case, as in all of Redis' own errors (`"NOSCRIPT"`, `"WRONGTYPE"`…); otherwise
    /// empty.
    package var code: String
    /// The complete text, including the code.
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package init(message: String) {
        let word = message.utf8.prefix { $0 != UInt8(ascii: " ") }
        let isCode =
            word.first.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") } ?? false
            && word.allSatisfy {
                ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z"))
                    || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
        self.init(code: isCode ? String(Substring(word)) : "", message: message)
    }

    /// Whether the user may not run the command, or a script may not run one of its commands: the wording differs
    /// between Redis 7.0 and later versions.
    package var isForbidden: Bool {
        code == "NOPERM" || message.contains("executing the script can't run this command")
            || message.contains("ACL failure in script")
    }

    /// Whether the server is a replica, or became one during a blocking read: writes must go to another server.
    package var isNotThePrimary: Bool {
        switch code {
        case "READONLY", "MASTERDOWN": true
        case "UNBLOCKED": message.contains("instance state changed")
        default: false
        }
    }
}
