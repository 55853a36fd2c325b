import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport
import Testing

@testable import Counters

private let decidedAt = "2026-11-22T10:00:00.000Z"

@Suite("Acknowledging")
struct AcknowledgeTests {
    private static let outcomes = [
        Outcome(kind: .accepted, ids: [.placeOrder: "o1"], seq: 42, units: 3, decidedAt: decidedAt),
        Outcome(kind: .refused, ids: [.placeOrder: "o2"], reason: "sold_out", units: 1, decidedAt: decidedAt),
        Outcome(kind: .cancelled, ids: [.placeOrder: "o1", .cancel: "c1"], seq: 43, units: 3, decidedAt: decidedAt),
        Outcome(kind: .adjusted, ids: [.adjust: "a1"], seq: 44, units: -2, decidedAt: decidedAt),
        Outcome(kind: .deadLetter, reason: "invalid_json", decidedAt: decidedAt),
        Outcome(
            kind: .deadLetter, ids: [.placeOrder: "o3", .cancel: "c3", .adjust: "a3"],
            reason: "invalid_value", decidedAt: decidedAt),
    ]

    private static let announced = [
        ["accepted", "o1", "", "", "", "42", "3"], ["refused", "o2", "", "", "sold_out", "", "1"],
        ["cancelled", "o1", "c1", "", "", "43", "3"], ["adjusted", "", "", "a1", "", "44", "-2"],
        ["dead_letter", "", "", "", "invalid_json", "", ""],
        ["dead_letter", "o3", "c3", "a3", "invalid_value", "", ""],
    ].enumerated().map { number, values -> [String] in
        let names = ["outcome", "order_id", "cancellation_id", "adjustment_id", "reason", "seq", "units"]
        var fields = ["epoch", "7", "position", "\(64 + number)"]
        for (name, value) in zip(names, values) {
            fields += [name, value]
            if name == "adjustment_id" { fields += ["refund_id", ""] }
        }
        return fields + ["decided_at", decidedAt]
    }

    /// The gate has decided up to the recorded seq.
    private static let decided = ["seq": "45"]

    private func acknowledgement(
        epoch: Int64 = 7, settled: Int64 = 45, recorded: Int64 = 65, entries: [String] = [],
        announcing outcomes: [Outcome]? = nil, repeating repeated: [Outcome] = [], changed: [Identifier] = []
    ) -> Acknowledgement {
        Acknowledgement(
            epoch: epoch, settled: settled, recorded: recorded, entries: entries,
            announcement: outcomes.map { Self.rows($0) }, repeated: Self.rows(repeated, after: 7).outcomes,
            changed: changed)
    }

    /// Outcomes to announce after a position.
    private static func rows(_ outcomes: [Outcome], after position: Int64 = 63) -> Announcement {
        Announcement(
            after: position, through: position + Int64(outcomes.count),
            outcomes: outcomes.enumerated().map { number, outcome in
                RecordedOutcome(
                    outcome: outcome, place: EpochPosition(epoch: 7, position: position + 1 + Int64(number)))
            })
    }

    /// The positions of the outcomes in Redis, in their order.
    private func positions(_ fixture: CountersFixture) async throws -> [String] {
        guard case .stream(let entries, _) = try await fixture.server.keyspace()[fixture.keys.outcomes] else {
            return []
        }
        return entries.map { $0.fields[3] }
    }

    /// Entries 1-0 … n-0, all delivered and pending.
    private func deliver(_ count: Int, _ fixture: CountersFixture) async throws {
        let (stream, server) = (fixture.keys.checkouts, fixture.server)
        try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "0", "MKSTREAM")
        _ = try await fixture.client.pipeline((1...count).map { RedisCommand("XADD", stream, "\($0)-0", "type", "t") })
        try await server.command(
            "XREADGROUP", "GROUP", StoreKeys.group, "c", "COUNT", "\(count)", "STREAMS", stream, ">")
    }

    @Test("stores the ledger's position, acknowledges, and announces every field of every outcome")
    func acknowledges() async throws {
        try await withCounters(["sold:p:P": "5", "seq": "45"]) { fixture async throws in
            try await deliver(3, fixture)
            var after = try await fixture.server.keyspace()
            let report = try await fixture.store.acknowledge(
                acknowledgement(entries: ["1-0", "3-0"], announcing: Self.outcomes, changed: ["P"]), keepOutcomes: 100)
            #expect(report == .acknowledged(AcknowledgeReport(acknowledged: 2, announced: 69)))

            var stock = CountersFixture.head.merging(["sold:p:P": "5", "seq": "45"]) { _, own in own }
            (stock["settled"], stock["recorded"], stock["announced"]) = ("45", "65", "69")
            after[fixture.keys.stock] = .hash(stock)
            after[fixture.keys.checkouts] = .stream(
                (1...3).map { StreamedEntry(id: "\($0)-0", fields: ["type", "t"]) },
                groups: [StoreKeys.group: GroupState(lastDelivered: "3-0", pending: ["2-0"])])
            var found = try await fixture.server.keyspace()
            // The ids of outcomes are assigned by Redis.
            guard case .stream(let entries, let groups) = found.removeValue(forKey: fixture.keys.outcomes) else {
                Issue.record("no stream of outcomes")
                return
            }
            #expect(entries.map(\.fields) == Self.announced && groups.isEmpty)
            #expect(found == after)
        }
    }

    @Test(
        "in slices, holds all of it once and in order",
        arguments: [(entries: 5, changed: 2, slices: 3), (2, 5, 3), (4, 4, 2), (1, 0, 1), (0, 0, 1)])
    func slices(entries: Int, changed: Int, slices expected: Int) {
        let whole = acknowledgement(
            entries: (0..<entries).map { "\($0)-0" }, announcing: Array(Self.outcomes.prefix(entries)),
            changed: (0..<changed).map { Identifier("P\($0)") })
        let slices = whole.slices(of: 2)
        #expect(slices.count == expected)
        #expect(slices.flatMap(\.entries) == whole.entries)
        #expect(slices.flatMap { $0.announcement?.outcomes ?? [] } == whole.announcement?.outcomes)
        // Each continues where the previous one ended.
        var position: Int64 = 63
        for announcement in slices.compactMap(\.announcement) {
            #expect(announcement.after == position)
            position = announcement.through
        }
        #expect(position == whole.announcement?.through)
        #expect(slices.flatMap(\.changed) == whole.changed)
        for slice in slices {
            #expect(max(slice.entries.count, slice.announcement?.outcomes.count ?? 0, slice.changed.count) <= 2)
            #expect((slice.epoch, slice.settled, slice.recorded) == (whole.epoch, whole.settled, whole.recorded))
        }
    }

    @Test("in slices, repeats replayed outcomes with the last rows or after them")
    func slicesOfRepeated() {
        let whole = acknowledgement(
            announcing: Array(Self.outcomes.prefix(3)), repeating: Array(Self.outcomes.prefix(3)))
        let slices = whole.slices(of: 2)
        #expect(slices.map { $0.announcement?.outcomes.count ?? 0 } == [2, 1, 0])
        #expect(slices.map(\.repeated.count) == [0, 2, 1] && slices.flatMap(\.repeated) == whole.repeated)
    }

    @Test("sent again, acknowledges and announces nothing more, and lowers nothing")
    func repeated() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            try await deliver(2, fixture)
            let one = acknowledgement(entries: ["1-0", "2-0"], announcing: [Self.outcomes[0]])
            _ = try await fixture.store.acknowledge(one, keepOutcomes: 100)
            let after = try await fixture.server.keyspace()
            let report = try await fixture.store.acknowledge(one, keepOutcomes: 100)
            #expect(report == .acknowledged(AcknowledgeReport(acknowledged: 0, announced: 64)))
            #expect(try await fixture.server.keyspace() == after)
        }
    }

    /// The stored value, the sent one, and the value stored afterwards.
    private static let recorded: [(String?, Int64, String)] = [
        ("60", 61, "61"), ("60", 60, "60"), ("60", 59, "60"), ("99", 100, "100"), ("100", 99, "100"), ("x", 3, "3"),
        (nil, 3, "3"),
    ]

    @Test("stores the recorded position even if no seq was taken, and never lowers it", arguments: recorded.indices)
    func recordedNote(_ index: Int) async throws {
        let (before, told, after) = Self.recorded[index]
        try await withCounters(Self.decided) { fixture async throws in
            try await fixture.server.command("HDEL", fixture.keys.stock, "recorded")
            if let before { try await fixture.set(["recorded": before], in: fixture.keys.stock) }
            _ = try await fixture.store.acknowledge(acknowledgement(settled: 41, recorded: told), keepOutcomes: 100)
            #expect(try await fixture.stock()?["recorded"] == after)
            #expect(try await fixture.stock()?["settled"] == "41")
        }
    }

    /// The state before, the value sent, and `settled` afterwards.
    private static let notes: [(String, [String: String], Int64, String)] = [
        ("higher", [:], 45, "45"), ("the same", [:], 41, "41"), ("lower", [:], 40, "41"),
        ("higher by a digit, compared as numbers", ["settled": "99"], 100, "100"),
        ("lower by a digit, compared as numbers", ["settled": "100"], 99, "100"),
        ("nothing noted yet that is a number", ["settled": "x"], 3, "3"),
    ]

    @Test("never lowers the stored `settled`", arguments: notes.indices)
    func settledNote(_ index: Int) async throws {
        let (name, stock, settled, noted) = Self.notes[index]
        try await withCounters(stock.merging(["seq": "100"]) { own, _ in own }) { fixture async throws in
            _ = try await fixture.store.acknowledge(acknowledgement(settled: settled), keepOutcomes: 100)
            #expect(try await fixture.stock()?["settled"] == noted, "\(name)")
        }
    }

    /// The state before, and the acknowledgement's ledger and epoch.
    private static let fences: [(String, [String: String]?, ledger: String, epoch: Int64)] = [
        ("of an earlier epoch", decided, "L", 6), ("of a later epoch", decided, "L", 8),
        ("of another ledger", decided, "M", 7),
        ("nothing is installed", nil, "L", 7),
        ("Redis has lost a seq that is recorded", ["seq": "44"], "L", 7), ("its seq is gone", ["seq": ""], "L", 7),
        ("its seq is lower by a digit", ["seq": "9"], "L", 7),
    ]

    /// Late, it would acknowledge messages that a since restored ledger has never recorded, or another message that
    /// reuses an id which Redis has forgotten.
    @Test("is fenced, and does nothing, if the counters are not those that were recorded", arguments: fences.indices)
    func fenced(_ index: Int) async throws {
        let (name, stock, ledger, epoch) = Self.fences[index]
        try await withCounters(stock) { fixture async throws in
            try await deliver(1, fixture)
            let before = try await fixture.server.keyspace()
            let store = CounterStore(keys: fixture.keys, ledger: ledger, client: fixture.client)
            let answer = try await store.acknowledge(
                acknowledgement(epoch: epoch, entries: ["1-0"], announcing: Self.outcomes, changed: ["P"]),
                keepOutcomes: 100)
            #expect(answer == .fenced, "\(name)")
            #expect(try await fixture.server.keyspace() == before, "\(name)")
        }
    }

    @Test("acknowledges thousands of entries at once")
    func manyEntries() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            try await deliver(9_000, fixture)
            let report = try await fixture.store.acknowledge(
                acknowledgement(entries: (1...9_000).map { "\($0)-0" }), keepOutcomes: 100)
            #expect(report == .acknowledged(AcknowledgeReport(acknowledged: 9_000, announced: 63)))
            #expect(
                try await fixture.server.command("XPENDING", fixture.keys.checkouts, StoreKeys.group).array?.first?.int
                    == 0)
        }
    }

    /// By default a server trims at most 10,000 entries at a time.
    @Test("keeps approximately the configured number of outcomes", arguments: [2_000, 11_000])
    func keepsOutcomes(_ count: Int) async throws {
        try await withCounters(Self.decided) { fixture async throws in
            let outcomes = (1...count).map {
                Outcome(kind: .accepted, ids: [.placeOrder: Identifier("o\($0)")], decidedAt: decidedAt)
            }
            _ = try await fixture.store.acknowledge(acknowledgement(announcing: outcomes), keepOutcomes: 500)
            let kept = try await fixture.server.entries(of: fixture.keys.outcomes)
            // Only whole nodes of the stream are trimmed, of 100 entries each.
            #expect((500..<600).contains(kept.count))
            #expect(kept.last?.fields.contains("o\(count)") == true)
        }
    }

    @Test("publishes each product that changed")
    func publishes() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            let listener = try ChildProcess(
                "redis-cli", ["-s", fixture.server.socketPath, "SUBSCRIBE", fixture.keys.changes])
            try await eventually("a subscriber") {
                try await fixture.server.command("PUBSUB", "NUMSUB", fixture.keys.changes).array?.last?.int == 1
            }
            let report = try await fixture.store.acknowledge(
                acknowledgement(changed: ["P-one", "P-two", "last"]), keepOutcomes: 100)
            #expect(report == .acknowledged(AcknowledgeReport(announced: 63)))
            try await listener.waitForLine(containing: "last")
            let lines = listener.standardOutput.split(separator: "\n")
            let messages = lines.indices.filter { lines[$0] == "message" }.map { lines[$0 + 2] }
            #expect(messages == ["P-one", "P-two", "last"])
            try await listener.stop()
        }
    }

    @Test("is not held up by outcomes that Redis refuses: it reports why, and how far it got")
    func outcomesOfWrongType() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            try await deliver(1, fixture)
            try await fixture.server.command("SET", fixture.keys.outcomes, "text")
            let refused = acknowledgement(
                entries: ["1-0"], announcing: Self.outcomes, repeating: [Self.outcomes[0]], changed: ["P"])
            let report = try await fixture.store.acknowledge(refused, keepOutcomes: 100)
            let refusal = "WRONGTYPE Operation against a key holding the wrong kind of value"
            #expect(
                report
                    == .acknowledged(
                        AcknowledgeReport(acknowledged: 1, announced: 63, refusal: refusal, unrepeated: 1)))
            let keyspace = try await fixture.server.keyspace()
            #expect(keyspace[fixture.keys.outcomes] == .text("text"))
            #expect(try await fixture.stock()?["settled"] == "45")
            #expect(try await fixture.stock()?["announced"] == "63")
            // Once the key is deleted, all of it is announced, once.
            try await fixture.server.command("DEL", fixture.keys.outcomes)
            for _ in 1...2 { _ = try await fixture.store.acknowledge(refused, keepOutcomes: 100) }
            #expect(try await positions(fixture) == ["64", "65", "66", "67", "68", "69", "8", "8"])
        }
    }

    /// The announced position in Redis, and the positions before the sent rows and of the last one.
    private static let announcements: [(String?, after: Int64, through: Int64, [String], then: Int64?)] = [
        ("63", 63, 65, ["64", "65"], 65), ("63", 62, 64, [], 63), ("63", 64, 66, [], 63), (nil, 63, 65, [], nil),
        ("x", 63, 65, [], nil), ("0", 0, 2, ["1", "2"], 2), ("9", 9, 11, ["10", "11"], 11),
    ]

    @Test("announces only rows that directly follow the announced position", arguments: announcements.indices)
    func announcesInOrder(_ index: Int) async throws {
        let (before, after, through, expected, then) = Self.announcements[index]
        try await withCounters(Self.decided) { fixture async throws in
            try await fixture.server.command("HDEL", fixture.keys.stock, "announced")
            if let before { try await fixture.set(["announced": before], in: fixture.keys.stock) }
            var next = acknowledgement()
            next.announcement = Self.rows(Array(Self.outcomes.prefix(2)), after: after)
            #expect(next.announcement?.through == through)
            let answer = try await fixture.store.acknowledge(next, keepOutcomes: 100)
            #expect(answer == .acknowledged(AcknowledgeReport(announced: then)))
            #expect(try await positions(fixture) == expected)
            #expect(try await fixture.stock()?["announced"] == (then.map { "\($0)" } ?? before))
        }
    }

    @Test("skips rows that are not announced, also if there are no others")
    func announcesNothing() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            for (after, through) in [(63, 64), (64, 70)] as [(Int64, Int64)] {
                var next = acknowledgement()
                next.announcement = Announcement(after: after, through: through, outcomes: [])
                let answer = try await fixture.store.acknowledge(next, keepOutcomes: 100)
                #expect(answer == .acknowledged(AcknowledgeReport(announced: through)))
            }
            #expect(try await positions(fixture) == [])
        }
    }

    @Test("acknowledges nothing if the group or the stream is missing, and continues")
    func noGroup() async throws {
        try await withCounters(Self.decided) { fixture async throws in
            let one = acknowledgement(entries: ["1-0"], announcing: [Self.outcomes[0]])
            let withoutStream = try await fixture.store.acknowledge(one, keepOutcomes: 100)
            try await deliver(1, fixture)
            try await fixture.server.command("XGROUP", "DESTROY", fixture.keys.checkouts, StoreKeys.group)
            let withoutGroup = try await fixture.store.acknowledge(one, keepOutcomes: 100)
            #expect(withoutStream == .acknowledged(AcknowledgeReport(announced: 64)))
            #expect(withoutGroup == withoutStream)
            #expect(try await fixture.server.entries(of: fixture.keys.outcomes).count == 1)
        }
    }

    @Test("works when Redis is out of memory: recorded messages are acknowledged")
    func outOfMemory() async throws {
        try await withCounters(Self.decided, ["--maxmemory-policy", "noeviction"]) { fixture async throws in
            try await deliver(2, fixture)
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "1")
            let report = try await fixture.store.acknowledge(
                acknowledgement(entries: ["1-0", "2-0"], announcing: Self.outcomes), keepOutcomes: 100)
            #expect(report == .acknowledged(AcknowledgeReport(acknowledged: 2, announced: 69)))
            #expect(try await fixture.stock()?["settled"] == "45")
        }
    }

    @Test("changes nothing when a key is of the wrong type", arguments: ["stock", "checkouts"])
    func wrongType(_ which: String) async throws {
        try await withCounters(which == "stock" ? nil : Self.decided) { fixture async throws in
            let key = which == "stock" ? fixture.keys.stock : fixture.keys.checkouts
            try await fixture.server.command("SET", key, "text")
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.store.acknowledge(
                    acknowledgement(settled: 45, recorded: 65, entries: ["1-0"], announcing: Self.outcomes),
                    keepOutcomes: 100)
            }
            #expect(error?.code == "WRONGTYPE")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test(
        "announces and acknowledges nothing when its arguments are malformed",
        arguments: [
            [], ["L", "7"], ["L", "7", "x", "60", "stocktake", "9", "ch", "", "", "0", "0", "0", "0", "0"],
            ["L", "7", "41", "x", "stocktake", "9", "ch", "", "", "0", "0", "0", "0", "0"],
            ["L", "7", "41", "60", "stocktake", "9", "ch"],
            ["L", "7", "41", "60", "stocktake", "9", "ch", "", "", "x"],
            ["L", "7", "41", "60", "stocktake", "9", "ch", "", "", "1", "no-id", "0", "0", "0", "0"],
        ])
    func malformed(_ arguments: [String]) async throws {
        try await withCounters(Self.decided) { fixture async throws in
            try await deliver(1, fixture)
            let before = try await fixture.server.keyspace()
            let keys = [fixture.keys.stock, fixture.keys.checkouts, fixture.keys.outcomes]
            var word: String?
            let error = try await replyError {
                word = try await fixture.run(.acknowledge, keys: keys, arguments).array?.first?.string
            }
            #expect(error?.code == "ERR" || word == "FENCED")
            #expect(try await fixture.server.keyspace() == before)
        }
    }
}
