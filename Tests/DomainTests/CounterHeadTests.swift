import Domain
import Testing

@Suite("The state that Redis remembers of a ledger")
struct CounterHeadTests {
    private static let ledger = LedgerHead(epoch: 7, seq: 50, position: 61, catalogueVersion: 1)

    /// The head of the counters, and the objection to the ledger above, whose identity is "L".
    private static let cases: [(CounterHead, LedgerObjection?)] = [
        (CounterHead(), nil),
        (CounterHead(ledger: "L", epoch: 7, seq: 99, settled: 50, recorded: 60), nil),
        // Decisions that were not recorded are made again: only recorded ones count.
        (CounterHead(ledger: "L", epoch: 6, seq: 99, settled: 49, recorded: 0), nil),
        (CounterHead(ledger: "M"), .otherLedger("M")),
        (CounterHead(ledger: "M", epoch: 8, settled: 51), .otherLedger("M")),
        (CounterHead(ledger: "L", epoch: 8), .laterEpoch(8)),
        (CounterHead(epoch: 8, settled: 51), .laterEpoch(8)),
        (CounterHead(ledger: "L", epoch: 7, settled: 51), .moreRecorded(settled: 51, recorded: 0)),
        // Refused orders and dead letters take no seq.
        (CounterHead(ledger: "L", epoch: 7, settled: 50, recorded: 61), .moreRecorded(settled: 50, recorded: 61)),
    ]

    @Test("is an objection if it exceeds what the ledger holds, or is another ledger's", arguments: cases.indices)
    func objections(_ index: Int) {
        let (head, objection) = Self.cases[index]
        #expect(head.objection(to: Self.ledger, of: "L") == objection)
    }
}
