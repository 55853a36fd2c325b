import Domain
import Testing

@Suite("Counters are behind the ledger")
struct LedgerWatermarkTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var epoch: Int64
        var seq: Int64
        var isBehind: Bool
    }

    /// Epoch 7 was raised a moment ago, epoch 6 long ago.
    static let watermark = LedgerWatermark(epoch: 7, seq: 100, dueEpoch: 6)

    static let cases = [
        Case(testDescription: "the same state", epoch: 7, seq: 100, isBehind: false),
        Case(testDescription: "decided, not recorded yet", epoch: 7, seq: 164, isBehind: false),
        Case(testDescription: "being installed", epoch: 6, seq: 164, isBehind: false),
        Case(testDescription: "being installed, with nothing decided before", epoch: 6, seq: 100, isBehind: false),
        Case(testDescription: "lost within its epoch", epoch: 7, seq: 99, isBehind: true),
        Case(testDescription: "lost with its epoch", epoch: 6, seq: 99, isBehind: true),
        Case(testDescription: "an epoch that was to be replaced long ago", epoch: 5, seq: 164, isBehind: true),
        Case(testDescription: "nothing installed", epoch: 0, seq: 0, isBehind: true),
        Case(testDescription: "installed since the ledger was read", epoch: 8, seq: 120, isBehind: false),
        Case(testDescription: "installed since, from a ledger that was restored", epoch: 8, seq: 50, isBehind: false),
    ]

    @Test("only in a state that no installation and no decision leads to", arguments: cases)
    func states(_ state: Case) {
        #expect(Self.watermark.isAbove(epoch: state.epoch, seq: state.seq) == state.isBehind)
    }
}
