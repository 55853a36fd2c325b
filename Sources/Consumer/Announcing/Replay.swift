import Domain

/// A message that was recorded before. Its first outcome is announced again.
struct Replay: Sendable, Equatable {
    /// Where the first outcome is recorded.
    enum Place: Sendable, Equatable {
        case recorded(EpochPosition)
        /// In the replay's own batch: an index into its records.
        case record(Int)
        /// In the preceding batch: an index into its records.
        case recordBefore(Int)
    }

    var outcome: Outcome
    var place: Place
}

/// The journal rows of one batch.
struct BatchRows: Sendable {
    var epoch: Int64
    /// The position of the first row.
    var first: Int64

    static let none = BatchRows(epoch: 0, first: 0)

    func place(of record: Int) -> EpochPosition { EpochPosition(epoch: epoch, position: first + Int64(record)) }
}

extension Replay {
    init(_ recorded: RecordedOutcome) {
        self.init(outcome: recorded.outcome, place: .recorded(recorded.place))
    }

    /// Returns the first outcome with its place in the journal.
    /// - Parameters:
    ///   - rows: the rows of the replay's batch.
    ///   - before: the rows of the preceding batch.
    func recorded(in rows: BatchRows, after before: BatchRows) -> RecordedOutcome {
        let place: EpochPosition =
            switch place {
            case .recorded(let place): place
            case .record(let record): rows.place(of: record)
            case .recordBefore(let record): before.place(of: record)
            }
        return RecordedOutcome(outcome: outcome, place: place)
    }
}
