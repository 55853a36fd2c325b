import Counters
import Inventory
import Ledger

/// A batch that the gate has decided.
struct DecidedBatch: Sendable {
    let planned: PlannedBatch
    /// What the ledger is to record, in the order of the plan's records.
    let record: RecordBatch
    /// What is announced: one an entry, in their order.
    let outcomes: [Outcome]
    /// What became of the entries.
    let tally: Tally
    /// Products whose figures changed.
    let changed: [Identifier]
    let seqAfter: Int64

    var entries: [ReadEntry] { planned.entries }

    /// Puts the gate's decisions to the commands they belong to.
    /// - Parameters:
    ///   - decisions: one a command, in their order.
    ///   - seqBefore: the counters' seq before the call.
    init(_ planned: PlannedBatch, _ decisions: [Decision], epoch: Int64, seqBefore: Int64, seqAfter: Int64) throws {
        self.planned = planned
        self.seqAfter = seqAfter
        let decidedAt = Timestamp.now()
        var builder = Builder(decisions, seq: seqBefore, capacity: planned.entries.count)
        for (entry, plan) in zip(planned.entries, planned.plans) {
            switch plan {
            case .record(let place):
                assert(place == builder.records.count, "records stand in the order of the entries that brought them")
                switch planned.records[place] {
                case .command(let command):
                    try builder.decide(command, decidedAt: decidedAt, entryID: entry.entry.id)
                case .deadLetter(let letter): builder.add(letter)
                }
            case .replay(let place): builder.repeatOutcome(ofRecord: place)
            case .known(let outcome): builder.repeatOutcome(outcome)
            }
        }
        guard builder.seq == seqAfter, builder.decisionsLeft == 0 else {
            throw CountersError.unexpectedReply(
                script: "gate", detail: "a seq or a decision that belongs to no command")
        }
        assert(builder.outcomes.count == planned.entries.count, "one outcome an entry")
        record = RecordBatch(
            epoch: epoch, catalogueVersion: planned.catalogueVersion, seqBefore: seqBefore, records: builder.records,
            attemptsOver: planned.poison.map { [$0] } ?? [], replayed: planned.replayed)
        outcomes = builder.outcomes
        tally = builder.tally
        changed = builder.changed
    }

    /// What Redis is to be told once the ledger has it.
    /// - Parameters:
    ///   - records: rows the ledger has recorded with this batch (`LedgerHead.records`).
    ///   - epoch: in whose name.
    func acknowledgement(records: Int64, epoch: Int64) -> Acknowledgement {
        Acknowledgement(
            epoch: epoch, settled: seqAfter, recorded: records, entries: entries.map(\.entry.id),
            outcomes: outcomes, changed: changed)
    }
}

extension DecidedBatch {
    private struct Builder {
        private var decisions: ArraySlice<Decision>
        private(set) var records: [RecordBatch.Record] = []
        private(set) var outcomes: [Outcome] = []
        private(set) var tally = Tally()
        private(set) var changed: [Identifier] = []
        /// Of the last change of the counters.
        private(set) var seq: Int64
        private var changedProducts: Set<Identifier> = []

        var decisionsLeft: Int { decisions.count }

        init(_ decisions: [Decision], seq: Int64, capacity: Int) {
            self.seq = seq
            self.decisions = decisions[...]
            records.reserveCapacity(capacity)
            outcomes.reserveCapacity(capacity)
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
            let decided = DecidedCommand(planned, decision, decidedAt: decidedAt, entryID: entryID)
            records.append(.command(decided))
            add(Outcome(decided))
        }

        mutating func add(_ letter: DeadLetterRecord) {
            records.append(.deadLetter(letter))
            add(Outcome(letter))
        }

        private mutating func add(_ outcome: Outcome) {
            tally.count(outcome)
            outcomes.append(outcome)
        }

        mutating func repeatOutcome(_ outcome: Outcome) {
            outcomes.append(outcome)
            tally.replays += 1
        }

        mutating func repeatOutcome(ofRecord place: Int) {
            assert(place < records.count, "a replay comes after what it repeats")
            repeatOutcome(Outcome(records[place]))
        }
    }
}

extension Decision {
    /// Whether the gate can have said this of such a command: only orders are refused, only cancellations change nothing.
    fileprivate func mayAnswer(_ command: Command) -> Bool {
        switch (command, self) {
        case (_, .accepted), (.placeOrder, .refused), (.cancel, .unchanged): true
        case (.placeOrder, .unchanged), (.cancel, .refused), (.adjust, _): false
        }
    }
}

/// A batch that is being recorded, as far as the next one must know: the ledger does not show it yet.
struct UnrecordedBatch: Sendable {
    private let places: [Command.Key: Int]
    private let records: [RecordBatch.Record]
    private let cancelledOrders: Set<Identifier>

    init(_ batch: DecidedBatch) {
        places = batch.planned.places
        records = batch.record.records
        cancelledOrders = batch.planned.cancelledOrders
    }

    func decision(of key: Command.Key) -> PriorDecision? {
        guard let place = places[key], case .command(let decided) = records[place] else { return nil }
        assert(decided.command.key == key, "a command stands at its place")
        return PriorDecision(digest: decided.command.digest, outcome: Outcome(decided))
    }

    /// Whether what an order owns is known only when the batch is recorded.
    func changes(_ order: Identifier) -> Bool {
        places[Command.Key(.placeOrder, order)] != nil || cancelledOrders.contains(order)
    }
}

extension Outcome {
    fileprivate init(_ letter: DeadLetterRecord) {
        self.init(
            kind: .deadLetter, ids: letter.ids, reason: letter.cause.reason.rawValue, decidedAt: letter.receivedAt)
    }

    fileprivate init(_ record: RecordBatch.Record) {
        switch record {
        case .command(let decided): self.init(decided)
        case .deadLetter(let letter): self.init(letter)
        }
    }
}
