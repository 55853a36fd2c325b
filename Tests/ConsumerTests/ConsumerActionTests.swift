import Counters
import Ingest
import Domain
import Ledger
import Testing

@testable import Consumer

@Suite("An action of the consumer")
struct ConsumerActionTests {
    private static func entry(_ bytes: Int) -> StreamEntry {
        StreamEntry(
            id: "1-0", fields: [.init(name: Array("payload".utf8), value: Array(repeating: 0x78, count: bytes))])
    }

    @Test(
        "is not short with many entries or large ones: then it must not run on the connections' event loops",
        arguments: [(0, 0, true), (32, 100, true), (33, 100, false), (1, 65_000, true), (1, 65_536, false)])
    func decoding(_ count: Int, _ bytes: Int, _ isShort: Bool) {
        let entries = Array(repeating: Self.entry(bytes), count: count)
        #expect(ConsumerAction.decode(entries).isShort == isShort)
    }

    @Test("is short if it only waits, also with many messages: the ledger has its own threads")
    func recording() {
        #expect(ConsumerAction.read(claims: true).isShort)
        #expect(ConsumerAction.record(JournalBatch(epoch: 1, catalogueVersion: 1, seqBefore: 0)).isShort)
    }

    @Test(
        "is not short if it acknowledges or announces many",
        arguments: [
            (32, 32, 32, 32, true), (129, 0, 0, 0, false), (0, 129, 0, 0, false), (0, 0, 129, 0, false),
            (0, 0, 0, 129, false),
        ])
    func acknowledging(_ entries: Int, _ outcomes: Int, _ repeated: Int, _ changed: Int, _ isShort: Bool) {
        let outcome = RecordedOutcome(
            outcome: Outcome(kind: .accepted, decidedAt: ""), place: EpochPosition(epoch: 1, position: 1))
        let acknowledgement = Acknowledgement(
            epoch: 1, settled: 0, recorded: 0, entries: Array(repeating: "1-0", count: entries),
            announcement: Announcement(
                after: 0, through: Int64(outcomes), outcomes: Array(repeating: outcome, count: outcomes)),
            repeated: Array(repeating: outcome, count: repeated), changed: Array(repeating: "cube", count: changed))
        #expect(ConsumerAction.acknowledge(acknowledgement).isShort == isShort)
    }
}
