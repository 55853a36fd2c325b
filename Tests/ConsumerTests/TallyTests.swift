import Domain
import Testing

@testable import Consumer

@Suite("A tally")
struct TallyTests {
    @Test("counts outcomes by kind and reason, and repeated messages")
    func counts() {
        let refused = Outcome(kind: .refused, reason: "sold_out", decidedAt: "")
        let outcomes = [Outcome(kind: .accepted, decidedAt: ""), refused, refused].map {
            RecordedOutcome(outcome: $0, place: EpochPosition(epoch: 1, position: 1))
        }
        let tally = Tally(outcomes, replays: 4)
        #expect(tally.counts == [.init(kind: .accepted, reason: ""): 1, .init(kind: .refused, reason: "sold_out"): 2])
        #expect(tally.messages == 7)
    }

    @Test("of a batch of repeated messages only counts nothing else")
    func replays() {
        let tally = Tally([], replays: 1)
        #expect(tally.replays == 1 && tally.counts.isEmpty && tally.messages == 1)
    }
}
