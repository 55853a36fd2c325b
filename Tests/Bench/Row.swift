/// One figure: ours beside the others', all from rounds that took turns.
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
    /// What is counted, where it is a rate.
    var figure: String
    var unit: Unit
    /// As it is printed; empty: none, the row is there to be known.
    var goal = ""
    var ours: Samples
    var others: [Side] = []
    /// Ours divided by what the goal compares it with; nil where it compares with nothing.
    var ratio: Double?
    /// nil: there is no goal.
    var isReached: Bool?
    /// What has to be known to read the figure.
    var note = ""
}
