import Domain

/// The number of messages per outcome.
struct Tally: Sendable {
    struct Label: Hashable {
        var kind: Outcome.Kind
        /// Usually empty.
        var reason: String
    }

    /// Accepted messages are counted separately, because nearly all messages are accepted.
    private var accepted = 0
    private var others: [Label: Int] = [:]
    /// Messages that were recorded already, and changed nothing.
    let replays: Int

    init(_ outcomes: [RecordedOutcome], replays: Int) {
        self.replays = replays
        for recorded in outcomes { count(recorded.outcome) }
    }

    private mutating func count(_ outcome: Outcome) {
        if outcome.kind == .accepted {
            accepted += 1
        } else {
            others[Label(kind: outcome.kind, reason: outcome.reason), default: 0] += 1
        }
    }

    var messages: Int { accepted + others.values.reduce(0, +) + replays }

    var counts: [Label: Int] {
        accepted == 0 ? others : others.merging([Label(kind: .accepted, reason: ""): accepted]) { $1 }
    }
}
