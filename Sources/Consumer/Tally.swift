import Inventory

/// How many messages had which outcome.
struct Tally: Sendable {
    var accepted = 0
    /// By reason.
    var refused: [String: Int] = [:]
    /// By reason, which is mostly empty.
    var cancelled: [String: Int] = [:]
    var adjusted = 0
    /// By reason.
    var deadLetters: [String: Int] = [:]
    /// Recorded already: they changed nothing.
    var replays = 0

    mutating func count(_ outcome: Outcome) {
        switch outcome.kind {
        case .accepted: accepted += 1
        case .refused: refused[outcome.reason, default: 0] += 1
        case .cancelled: cancelled[outcome.reason, default: 0] += 1
        case .adjusted: adjusted += 1
        case .deadLetter: deadLetters[outcome.reason, default: 0] += 1
        }
    }
}
