import RedisClient
import Testing

@testable import Ingest

@Suite("Entries that are too large to be sent")
struct OversizedEntriesTests {
    private let tooLarge = RedisError.replyTooLarge(to: "h", limit: 9)
    private let late = RedisError.timedOut(to: "h", command: "XAUTOCLAIM", after: .seconds(30))

    @Test("are searched for after a reply that was too large, or after a single late entry")
    func search() {
        var entries = OversizedEntries()
        entries.failed(with: late, count: 2)
        entries.failed(with: RedisError.connectionLost(to: "h", reason: "r"), count: 1)
        #expect(!entries.isSearching)
        entries.failed(with: late, count: 1)
        #expect(entries.isSearching)
        entries.endSearch()
        #expect(!entries.isSearching)
        entries.failed(with: tooLarge, count: 64)
        #expect(entries.isSearching)
    }

    @Test("are given up only when their size is known: a late one gets more time each time")
    func patience() {
        var entries = OversizedEntries()
        #expect(entries.patience(for: "1-0") == .seconds(30))
        for expected in [60, 120, 240, 480, 600, 600] {
            entries.failed(on: "1-0", with: late)
            #expect(!entries.isTooLarge("1-0") && entries.patience(for: "1-0") == .seconds(expected))
        }
        for _ in 1...100 { entries.failed(on: "1-0", with: late) }
        #expect(!entries.isTooLarge("1-0") && entries.patience(for: "1-0") == .seconds(600))
        #expect(entries.patience(for: "2-0") == .seconds(30))
        entries.failed(on: "2-0", with: tooLarge)
        #expect(entries.isTooLarge("2-0") && !entries.isTooLarge("1-0"))
    }
}
