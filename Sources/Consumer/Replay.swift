import Domain

/// A message that was recorded before: its first outcome is announced again.
struct Replay: Sendable, Equatable {
    /// Where the first outcome is recorded.
    enum Place: Sendable, Equatable {
        case recorded(EpochPosition)
        /// In the batch itself: an index into its records.
        case record(Int)
        /// In the batch that is recorded before it.
        case recordBefore(Int)
    }

    var outcome: Outcome
    var place: Place
}

/// The rows that one batch has in the journal.
struct BatchRows: Sendable {
    var epoch: Int64
    /// Position of the first one.
    var first: Int64

    static let none = BatchRows(epoch: 0, first: 0)

    func place(of record: Int) -> EpochPosition { EpochPosition(epoch: epoch, position: first + Int64(record)) }
}

extension Replay {
    init(_ recorded: RecordedOutcome) {
        self.init(outcome: recorded.outcome, place: .recorded(recorded.place))
    }

    /// - Parameters:
    ///   - rows: the batch's.
    ///   - before: those of the batch before it.
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
