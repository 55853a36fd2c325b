import Domain
import StrictJSON
import TextEncodings

/// The number of commands of each kind.
extension [Command.Kind: Int] {
    /// The JSON members: `orders`, `cancellations` …
    var members: [(String, JSONValue)] { Command.Kind.allCases.map { ($0.noun + "s", .integer(self[$0] ?? 0)) } }

    /// The counts as text: "2,000 orders, 1 cancellation, …".
    var text: String { Command.Kind.allCases.map { (self[$0] ?? 0).counted($0.noun) }.joined(separator: ", ") }
}
