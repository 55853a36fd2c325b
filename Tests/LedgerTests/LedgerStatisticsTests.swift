import Domain
import Ledger
import LedgerSamples
import Testing

@Suite("Statistics of a ledger")
struct LedgerStatisticsTests {
    @Test("count what was recorded, and the statuses of dead letters", arguments: Backend.allCases)
    func values(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var expected = LedgerStatistics(
                head: LedgerHead(epoch: 0, seq: 0, position: 1, catalogueVersion: 1), orders: 0,
                refunds: RefundsDue(), openDeadLetters: 0, deadLetterBytes: 0, requestedReplays: 0)
            #expect(try await fixture.ledger.statistics() == expected)
            try await fixture.record(
                order("o1", [("cube", "black", 2)], .accepted(seq: 1)),
                order("o2", [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)), deadLetter("1-0"))
            try await fixture.record(
                order("o3", [("kit", nil, 4)], refused(.product("kit"), asked: 4, left: 3)), deadLetter("2-0"),
                deadLetter("3-0"))
            // A rejected batch counts nowhere.
            let disagreed = try await fixture.record(
                order("o4", [("kit", nil, 1)], refused(.product("kit"), asked: 1, left: 0)))
            #expect(disagreed != .recorded(position: 8))
            _ = try await fixture.ledger.replay(.numbers([2]))
            _ = try await fixture.ledger.discard(.numbers([3]))
            expected.head = LedgerHead(epoch: 0, seq: 1, position: 7, catalogueVersion: 1)
            expected.orders = 3
            expected.refunds = RefundsDue(refunds: 2, sums: [.init(currency: nil, refunds: 2, amount: 1_300)])
            (expected.openDeadLetters, expected.requestedReplays) = (1, 1)
            // A byte of each type, and one of each payload.
            expected.deadLetterBytes = 4
            #expect(try await fixture.ledger.statistics() == expected)
        }
    }
}
