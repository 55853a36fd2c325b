import Foundation
import Domain
import Files
import RedisClient

extension Identifier {
    /// A random id for a command whose user gave none. The command can be repeated under the same id.
    static func random(_ prefix: String) -> Identifier {
        Identifier(prefix + "-" + String(UInt64.random(in: .min ... .max), radix: 16))
    }
}

/// The command line that repeats a command.
enum RepeatCommand {
    /// The command line of this process with `--id` after the subcommand's name, quoted for a shell. Passwords in it
    /// are redacted.
    static func command(after subcommand: String, id: Identifier) -> String {
        var arguments = Stocktake.arguments
        let given = arguments.firstIndex { $0 == "--id" || $0.hasPrefix("--id=") }
        if given == nil, let place = arguments.firstIndex(of: subcommand) {
            arguments.insert(contentsOf: ["--id", id.text], at: place + 1)
        }
        return arguments.enumerated().map { place, argument in
            let option = place > 0 ? arguments[place - 1] : ""
            // An option and its value may be one argument, "--redis-url=…".
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return quoted(
                parts.count == 2 && secrets.contains(parts[0])
                    ? "\(parts[0])=\(redacted(parts[1], of: parts[0]))" : redacted(argument, of: option))
        }.joined(separator: " ")
    }

    private static let secrets = ["--redis-url", "--operator-token"]

    private static func redacted(_ value: String, of option: String) -> String {
        switch option {
        case "--redis-url": redacted(value)
        case "--operator-token": "…"
        default: value
        }
    }

    private static func redacted(_ url: String) -> String {
        // Looks for the marks of `RedisURL.redacted`: a URL without a password is repeated as it was typed.
        guard let redacted = (try? RedisURL(url))?.redacted, redacted.contains(":***@") || redacted.contains("=***")
        else { return url }
        return redacted
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = !argument.isEmpty && argument.utf8.allSatisfy { plain.contains($0) }
        // Such bytes are printed as "\xE9", which the shell decodes within these quotes.
        if !FilePath.isUTF8(argument) {
            return "$'" + argument.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
        }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }

    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,@%".utf8)
}
