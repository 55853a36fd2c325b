/// One result: ours beside others, all from rounds that took turns.
struct Row: Sendable, Encodable {
    enum Unit: String, Sendable, Encodable {
        case perSecond = "/s"
        case microseconds = " µs"
        case milliseconds = " ms"
        case seconds = " s"
        case megabytes = " MB"
    }

    /// A peer, a limit, or ours under other circumstances.
    struct Side: Sendable, Encodable {
        var name: String
        var samples: Samples
    }

    var group: RowGroup
    /// The counted unit, if it is a rate.
    var figure: String
    var unit: Unit
    /// As printed; empty for none, if the row is for information.
    var goal = ""
    var ours: Samples
    var others: [Side] = []
    /// Ours divided by the value that the goal compares it with; `nil` if it compares with nothing.
    var ratio: Double?
    /// `nil` if there is no goal.
    var isReached: Bool?
    /// What readers have to know to interpret the result.
    var note = ""
}
