import Foundation
import Domain
import Files
import RedisClient

extension Identifier {
    /// For a command whose user gave no id. Under the same one it can be repeated.
    static func random(_ prefix: String) -> Identifier {
        Identifier(prefix + "-" + String(UInt64.random(in: .min ... .max), radix: 16))
    }
}

/// A command as it is to be typed to do the same once more.
enum RepeatCommand {
    /// This process' own command with `--id` behind the subcommand's name, quoted for a shell. A password in it is left
    /// out.
    static func command(after subcommand: String, id: Identifier) -> String {
        var arguments = Stocktake.arguments
        let given = arguments.firstIndex { $0 == "--id" || $0.hasPrefix("--id=") }
        if given == nil, let place = arguments.firstIndex(of: subcommand) {
            arguments.insert(contentsOf: ["--id", id.text], at: place + 1)
        }
        return arguments.enumerated().map { place, argument in
            let option = place > 0 ? arguments[place - 1] : ""
            // Also as one argument, "--redis-url=…".
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
        // In the words of what redacts it: a URL without a password is repeated as it was typed.
        guard let redacted = (try? RedisURL(url))?.redacted, redacted.contains(":***@") || redacted.contains("=***")
        else { return url }
        return redacted
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = !argument.isEmpty && argument.utf8.allSatisfy { plain.contains($0) }
        // Printed, the bytes are "\xE9", which the shell takes back in such quotes.
        if !FilePath.isUTF8(argument) {
            return "$'" + argument.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
        }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }

    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,@%".utf8)
}
