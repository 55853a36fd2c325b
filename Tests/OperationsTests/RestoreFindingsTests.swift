import Counters
import Domain
import Ledger
import Testing

@testable import Operations

@Suite("Findings before a backup replaces the ledger")
struct RestoreFindingsTests {
    private func head(_ epoch: Int64, seq: Int64 = 5, messages: Int64 = 7, catalogue: Int64 = 1) -> LedgerHead {
        LedgerHead(epoch: epoch, seq: seq, position: messages + catalogue, catalogueVersion: catalogue)
    }

    private func findings(
        replaced: ReplacedLedger = .none, redis: CounterHead = CounterHead(), backup messages: Int64 = 7
    ) -> RestoreFindings {
        var check = LedgerCheck()
        check.head = head(1, messages: messages)
        return RestoreFindings(
            identity: "L", backup: check, newestEntry: nil, replaced: replaced, head: redis, stream: nil, missing: nil,
            absent: [])
    }

    @Test("Another ledger is found in that place, or in Redis")
    func otherLedger() {
        #expect(findings().otherLedger == nil)
        #expect(findings(replaced: .damaged, redis: CounterHead(ledger: "L")).otherLedger == nil)
        guard case .inPlace("S")? = findings(replaced: .readable(identity: "S", head(1))).otherLedger else {
            Issue.record("not seen in its place")
            return
        }
        guard case .followed("S")? = findings(redis: CounterHead(ledger: "S")).otherLedger else {
            Issue.record("not seen in Redis")
            return
        }
    }

    @Test("The replaced ledger is complete only if Redis remembers no more")
    func newest() {
        let replaced = ReplacedLedger.readable(identity: "L", head(1))
        #expect(!findings().replacedIsNewest && !findings(replaced: .damaged).replacedIsNewest)
        #expect(findings(replaced: replaced).replacedIsNewest)
        #expect(findings(replaced: replaced, redis: .init(ledger: "L", settled: 5, recorded: 7)).replacedIsNewest)
        #expect(!findings(replaced: replaced, redis: .init(ledger: "L", settled: 6, recorded: 7)).replacedIsNewest)
        #expect(!findings(replaced: replaced, redis: .init(ledger: "L", settled: 5, recorded: 8)).replacedIsNewest)
        #expect(!findings(replaced: replaced, redis: .init(ledger: "S", settled: 5, recorded: 7)).replacedIsNewest)
    }

    @Test("Rows since the backup are known if Redis follows it, whatever number it holds")
    func recordedSince() {
        #expect(findings().recordedSince == nil)
        #expect(findings(redis: .init(ledger: "L", recorded: 10)).recordedSince == 3)
        #expect(findings(redis: .init(ledger: "S", recorded: 10)).recordedSince == nil)
        #expect(findings(redis: .init(ledger: "L", recorded: .min)).recordedSince == nil)
    }

    @Test("The previous catalogue is the latest that any source knows of")
    func catalogue() {
        #expect(findings(redis: .init(catalogue: 4)).catalogueBefore == 4)
        let replaced = ReplacedLedger.readable(identity: "L", head(3, catalogue: 6))
        #expect(findings(replaced: replaced, redis: .init(catalogue: 4)).catalogueBefore == 6)
        #expect(findings(replaced: replaced).replacedEpoch == 3 && findings().replacedEpoch == 0)
    }
}
