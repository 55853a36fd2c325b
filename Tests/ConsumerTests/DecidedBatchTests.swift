import Counters
import Domain
import Ledger
import Testing

@testable import Consumer

@Suite("A decided batch")
struct DecidedBatchTests {
    /// An order, junk, the order again, a cancellation of an order that owns nothing, another order.
    private static func planned() -> PlannedBatch {
        var prior = PriorState()
        prior.owned["empty"] = []
        let context = PlanningContext(
            catalogue: ConsumerWorld.catalogue(version: 1), maximumMovements: 99,
            deadLetters: DeadLetterMaker(keptBytes: 9))
        let entries: [DecodedEntry] = [
            .order(1, "a", ("cube", "black", 2)), .junk(2), .order(3, "a", ("cube", "black", 2)),
            .cancel(4, "c", order: "empty"), .order(5, "b", ("lamp", nil, 1)),
        ]
        return BatchPlanner(entries, context, at: "").plan(by: prior)
    }

    private static func batch(_ decisions: [Decision], seqAfter: Int64) throws -> DecidedBatch {
        try DecidedBatch(
            planned(), decisions, epoch: 3, seqBefore: 7, seqAfter: seqAfter, decidedAt: "2026-11-22T10:00:00.000Z")
    }

    @Test("assigns each decision to its command, and an outcome to each record and each repeated message")
    func outcomes() throws {
        let shortage = Shortage(counter: .product("lamp"), asked: 1, left: 0)
        let batch = try Self.batch([.accepted(seq: 8), .unchanged, .refused(shortage)], seqAfter: 8)
        let outcomes = batch.record.records.map { Outcome($0) }
        #expect(outcomes.map(\.kind) == [.accepted, .deadLetter, .cancelled, .refused])
        #expect(outcomes.map(\.seq) == [8, nil, nil, nil])
        #expect(outcomes[3].reason == "sold_out")
        #expect(batch.replays == [Replay(outcome: outcomes[0], place: .record(0))])
        #expect(batch.record.records.compactMap(\.command).map(\.entryID) == ["1-0", "4-0", "5-0"])
        #expect(batch.record.records.count == 4 && batch.changed == ["cube"])
        #expect(batch.record.epoch == 3 && batch.record.seqBefore == 7 && batch.seqAfter == 8)
    }

    /// Decisions that our gate would never return for it.
    private static let impossible: [([Decision], Int64)] = [
        // One too few, one too many.
        ([.accepted(seq: 8), .unchanged], 8),
        ([.accepted(seq: 8), .unchanged, .accepted(seq: 9), .accepted(seq: 10)], 10),
        // The decision of another kind of command.
        ([.unchanged, .unchanged, .accepted(seq: 8)], 8),
        // A seq skipped, repeated, or not the last one.
        ([.accepted(seq: 9), .unchanged, .accepted(seq: 10)], 10),
        ([.accepted(seq: 8), .unchanged, .accepted(seq: 8)], 8),
        ([.accepted(seq: 8), .unchanged, .accepted(seq: 9)], 10),
    ]

    @Test("is not made if the gate's decisions do not match it", arguments: impossible.indices)
    func notOfThisBatch(_ index: Int) {
        let (decisions, seqAfter) = Self.impossible[index]
        #expect(throws: CountersError.self) { try Self.batch(decisions, seqAfter: seqAfter) }
    }
}
