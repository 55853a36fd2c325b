import Counters
import Domain
import Ledger

/// A batch that the gate has decided.
struct DecidedBatch: Sendable {
    let planned: PlannedBatch
    /// The batch for the ledger to record, in the order of the plan's records.
    let record: JournalBatch
    /// The messages whose first outcomes are announced again.
    let replays: [Replay]
    /// Products whose counters changed.
    let changed: [Identifier]
    let seqAfter: Int64

    var entries: [ReadEntry] { planned.entries }

    /// Whether the batch consists of one poison message.
    var isPoison: Bool {
        if case .poison = entries.first { true } else { false }
    }

    /// Assigns the gate's decisions to their commands.
    /// - Parameters:
    ///   - decisions: one decision per command, in the order of the commands.
    ///   - seqBefore: the counters' seq before the call.
    ///   - decidedAt: the time of the decisions, RFC 3339, UTC.
    init(
        _ planned: PlannedBatch, _ decisions: [Decision], epoch: Int64, seqBefore: Int64, seqAfter: Int64,
        decidedAt: String
    ) throws {
        self.planned = planned
        self.seqAfter = seqAfter
        var builder = Builder(decisions, seq: seqBefore, capacity: planned.entries.count)
        assert(planned.plans.count == planned.entries.count, "one plan per entry")
        for (entry, plan) in zip(planned.entries, planned.plans) {
            switch plan {
            case .record(let place):
                assert(place == builder.records.count, "records are in the order of the entries that produced them")
                switch planned.records[place] {
                case .command(let command):
                    try builder.decide(command, decidedAt: decidedAt, entryID: entry.entry.id)
                case .deadLetter(let letter): builder.add(letter)
                }
            case .replay(let place): builder.repeatOutcome(ofRecord: place)
            case .known(let replay): builder.add(replay)
            }
        }
        guard builder.seq == seqAfter, builder.decisionsLeft == 0 else {
            throw CountersError.unexpectedReply(
                script: "gate", detail: "a seq or a decision that belongs to no command")
        }
        assert(builder.records.count + builder.replays.count == planned.entries.count, "one outcome per entry")
        record = JournalBatch(
            epoch: epoch, catalogueVersion: planned.catalogueVersion, seqBefore: seqBefore, records: builder.records,
            attemptsOver: planned.poison.map { [$0] } ?? [], replayed: planned.replayed)
        replays = builder.replays
        changed = builder.changed
    }
}

extension DecidedBatch {
    private struct Builder {
        private var decisions: ArraySlice<Decision>
        private(set) var records: [BatchRecord<DecidedCommand>] = []
        private(set) var replays: [Replay] = []
        private(set) var changed: [Identifier] = []
        /// The counters' seq after the last change.
        private(set) var seq: Int64
        private var changedProducts: Set<Identifier> = []

        var decisionsLeft: Int { decisions.count }

        init(_ decisions: [Decision], seq: Int64, capacity: Int) {
            self.seq = seq
            self.decisions = decisions[...]
            records.reserveCapacity(capacity)
        }

        mutating func decide(_ planned: PlannedCommand, decidedAt: String, entryID: String) throws {
            guard let decision = decisions.popFirst(), decision.mayAnswer(planned.command) else {
                throw CountersError.unexpectedReply(script: "gate", detail: "a decision of another command's kind")
            }
            if let seq = decision.seq {
                guard seq == self.seq + 1 else {
                    throw CountersError.unexpectedReply(script: "gate", detail: "seq \(seq) after \(self.seq)")
                }
                self.seq = seq
                for movement in planned.movements where movement.counter.level == .product {
                    if changedProducts.insert(movement.counter.id).inserted { changed.append(movement.counter.id) }
                }
            }
            records.append(.command(DecidedCommand(planned, decision, decidedAt: decidedAt, entryID: entryID)))
        }

        mutating func add(_ letter: NewDeadLetter) { records.append(.deadLetter(letter)) }

        mutating func add(_ replay: Replay) { replays.append(replay) }

        mutating func repeatOutcome(ofRecord place: Int) {
            assert(place < records.count, "a replay comes after what it repeats")
            add(Replay(outcome: Outcome(records[place]), place: .record(place)))
        }
    }
}

extension Decision {
    /// Whether the gate may have made this decision on the command.
    fileprivate func mayAnswer(_ command: Command) -> Bool {
        switch self {
        case .accepted: true
        case .refused: command.isBoundByCaps
        case .unchanged: command.mayChangeNothing
        }
    }
}

extension Outcome {
    /// Creates the outcome that is announced for a record.
    init(_ record: BatchRecord<DecidedCommand>) {
        switch record {
        case .command(let decided): self.init(decided)
        case .deadLetter(let letter): self.init(letter)
        }
    }

    init(_ letter: NewDeadLetter) {
        self.init(
            kind: .deadLetter, ids: letter.ids, reason: letter.cause.reason.rawValue, decidedAt: letter.receivedAt)
    }
}
