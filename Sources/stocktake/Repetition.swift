import Foundation
import Inventory
import RedisClient

/// A command as it is to be typed to do the same once more.
enum Repetition {
    /// This process' own command with `--id` behind the subcommand's name, quoted for a shell. A password in it is left
    /// out.
    static func command(after subcommand: String, id: Identifier) -> String {
        var arguments = CommandLine.arguments
        let given = arguments.firstIndex { $0 == "--id" || $0.hasPrefix("--id=") }
        if given == nil, let place = arguments.firstIndex(of: subcommand) {
            arguments.insert(contentsOf: ["--id", id.text], at: place + 1)
        }
        return arguments.enumerated().map { place, argument in
            let isURL = place > 0 && arguments[place - 1] == "--redis-url"
            let isToken = place > 0 && arguments[place - 1] == "--operator-token"
            return quoted(isToken ? "…" : isURL ? redacted(argument) : argument)
        }.joined(separator: " ")
    }

    private static func redacted(_ url: String) -> String {
        // In the words of what redacts it: a URL without a password is repeated as it was typed.
        guard let redacted = (try? RedisURL(url))?.redacted, redacted.contains(":***@") || redacted.contains("=***")
        else { return url }
        return redacted
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = !argument.isEmpty && argument.utf8.allSatisfy { plain.contains($0) }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }

    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,@%".utf8)
}
