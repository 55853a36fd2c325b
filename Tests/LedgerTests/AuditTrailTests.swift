import Domain
import Ledger
import LedgerSamples
import Testing

/// The record of operators' actions.
@Suite("The audit of operators' actions")
struct AuditTrailTests {
    private func entries(_ fixture: LedgerFixture) async throws -> [String] {
        try await fixture.ledger.audit(limit: 99, after: nil).elements.reversed().map {
            "\($0.number) \($0.action.rawValue) \($0.subject) \($0.by ?? "-")"
        }
    }

    @Test(
        "lists who did what to which order or dead letter, once for each that was changed", arguments: Backend.allCases)
    func actions(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order("o", [("sheet", nil, 1)], .accepted(seq: 1)), deadLetter("1-0"), deadLetter("2-0"),
                deadLetter("3-0", orderID: "o"))
            let ledger = fixture.ledger
            _ = try await ledger.replay(.numbers([1]), by: "maria")
            // It already is.
            _ = try await ledger.replay(.numbers([1]), by: "maria")
            _ = try await ledger.discard(.numbers([2]), by: nil)
            // Refused.
            #expect(try await ledger.discard(.numbers([1, 3]), by: "otto") == .refused([(1, .replay)]))
            #expect(try await ledger.erase(["none"], by: "otto") == .unknown(["none"]))
            _ = try await ledger.erase(["o", "o"], by: "otto")
            try await ledger.raiseEpoch(above: 7, by: "maria")
            _ = try await ledger.raiseEpoch(toRepair: [], foundIn: nil, reason: "r", by: nil)
            _ = try await ledger.raiseEpoch(toRepair: [], foundIn: nil, reason: "r", by: "maria")
            #expect(
                try await entries(fixture) == [
                    "1 replay_dead_letter 1 maria", "2 discard_dead_letter 2 -", "3 erase_order o otto",
                    "4 adopt 7 maria", "5 repair 9 maria",
                ])
            let page = try await ledger.audit(limit: 2, after: nil)
            #expect(page.elements.map(\.number) == [5, 4])
            #expect(try await ledger.audit(limit: 9, after: page.next).elements.map(\.number) == [3, 2, 1])
            #expect(try await ledger.journal(after: 0, limit: 9).count == 5)
        }
    }
}
