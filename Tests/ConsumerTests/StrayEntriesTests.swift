import Domain
import Testing

@testable import Consumer

@Suite("Entries that are pending but in no consumer's memory")
struct StrayEntriesTests {
    private let start = ContinuousClock.now

    private func looks(_ looks: [(second: Int, pending: String?, memory: String?)]) -> [Bool] {
        var strays = StrayEntries()
        return looks.map {
            strays.check(
                pending: $0.pending.flatMap { StreamID($0) }, memory: $0.memory.flatMap { StreamID($0) },
                at: start + .seconds($0.second))
        }
    }

    @Test("An entry that stays pending below everything in memory for some time is a stray")
    func stray() {
        #expect(looks([(0, "5-0", "9-0"), (1, "5-0", "12-0"), (3, "5-0", "20-0")]) == [false, false, true])
        #expect(looks([(0, "5-0", nil), (3, "5-0", nil)]) == [false, true])
        // After it was reported, the time starts again.
        #expect(
            looks([(0, "5-0", nil), (3, "5-0", nil), (4, "5-0", nil), (7, "5-0", nil)]) == [false, true, false, true])
    }

    @Test("An entry that is in memory, enters it, or is acknowledged is not a stray")
    func none() {
        #expect(
            looks([(0, nil, nil), (5, nil, "9-0"), (10, "9-0", "9-0"), (20, "9-0", "9-0")]).contains(true) == false)
        #expect(looks([(0, "9-0", "5-0"), (10, "9-0", "5-0")]).contains(true) == false)
        // A reply was on its way.
        #expect(looks([(0, "5-0", nil), (2, "5-0", "5-0"), (4, "5-0", nil), (6, "5-0", nil)]).contains(true) == false)
        #expect(looks([(0, "5-0", nil), (3, "6-0", nil), (5, "7-0", nil)]).contains(true) == false)
    }

    @Test("Ids are compared as numbers")
    func numbers() {
        #expect(looks([(0, "9-9", "10-0"), (3, "9-9", "10-0")]) == [false, true])
        #expect(looks([(0, "10-0", "9-9"), (3, "10-0", "9-9")]) == [false, false])
    }
}
