import Counters
import Domain
import LuaScripts
import RedisClient
import Testing

private let p = CounterName.product("P")
private let v = CounterName.variant("V")

@Suite("Installing counters")
struct InstallTests {
    private static let counters: [(name: CounterName, state: CounterState)] = [
        (p, CounterState(sold: 5, cap: 9, isActive: true)),
        (v, CounterState(sold: 0, cap: nil, isActive: true)),
        (.variant("W"), CounterState(sold: 3, cap: 2, isActive: false)),
    ]

    private static let installed = [
        "ledger": "L", "epoch": "8", "seq": "50", "settled": "50", "recorded": "70", "catalogue": "4", "announced": "0",
        "sold:p:P": "5", "cap:p:P": "9", "sold:v:V": "0", "sold:v:W": "3", "cap:v:W": "2", "closed:v:W": "1",
    ]

    private func installation(epoch: Int64 = 8, seq: Int64 = 50) -> Installation {
        Installation(epoch: epoch, seq: seq, position: 74, catalogueVersion: 4, counters: Self.counters)
    }

    @Test(
        "replaces all old counters with the new ones",
        arguments: [nil, ["sold:p:P": "4", "cap:p:P": "1", "sold:p:gone": "7", "closed:v:V": "1", "extra": "x"]]
            as [[String: String]?])
    func installs(_ before: [String: String]?) async throws {
        try await withCounters(before) { fixture async throws in
            let announced: Int64 = before == nil ? 0 : 63
            #expect(try await fixture.store.install(installation()) == .installed(announced: announced))
            let installed = Self.installed.merging(["announced": "\(announced)"]) { _, own in own }
            #expect(
                try await fixture.server.keyspace() == [
                    "bystander": .text("untouched"), fixture.keys.stock: .hash(installed),
                ])
        }
    }

    @Test("an installed state is one that the gate accepts")
    func gateAccepts() async throws {
        try await withCounters(nil) { fixture async throws in
            _ = try await fixture.store.install(installation())
            let answer = try await fixture.store.decide([take((p, 4), (v, 4)), take((p, 1))], epoch: 8, seq: 50)
            #expect(answer == .decided(seq: 51, [.accepted(seq: 51), refused(p, asked: 1, left: 0)]))
        }
    }

    /// Fields of the head before, the epoch and seq to install, and the result.
    private static let refusals: [(String, [String: String], epoch: Int64, seq: Int64, InstallResult)] = [
        ("another ledger", ["ledger": "M"], 8, 50, .refused(.otherLedger("M"))),
        (
            "another ledger with a lower epoch and seq", ["ledger": "M", "epoch": "1", "settled": "1"], 8, 50,
            .refused(.otherLedger("M"))
        ),
        ("the same epoch", [:], 7, 50, .refused(.laterEpoch(7))),
        ("a higher epoch", ["epoch": "9"], 8, 50, .refused(.laterEpoch(9))),
        ("a higher epoch, compared as numbers", ["epoch": "10"], 9, 50, .refused(.laterEpoch(10))),
        ("the ledger had recorded more", ["settled": "51"], 8, 50, .refused(.moreRecorded(settled: 51, recorded: 60))),
        (
            "the ledger had recorded more, compared as numbers", ["settled": "100"], 8, 99,
            .refused(.moreRecorded(settled: 100, recorded: 60))
        ),
        (
            "the ledger had recorded more that took no seq", ["recorded": "71"], 8, 50,
            .refused(.moreRecorded(settled: 41, recorded: 71))
        ),
    ]

    @Test("is refused, and the counters remain unchanged", arguments: refusals.indices)
    func isRefused(_ index: Int) async throws {
        let (name, head, epoch, seq, answer) = Self.refusals[index]
        try await withCounters(head.merging(["sold:p:P": "1"]) { _, own in own }) { fixture async throws in
            let before = try await fixture.server.keyspace()
            #expect(try await fixture.store.install(installation(epoch: epoch, seq: seq)) == answer, "\(name)")
            var after = try await fixture.server.keyspace()
            after[fixture.keys.staging(epoch: epoch)] = nil
            #expect(after == before, "\(name)")
        }
    }

    @Test("takes over from an epoch that had decided more than was recorded")
    func seqAhead() async throws {
        // seq is above the ledger's, settled is not: these decisions are made again.
        try await withCounters(["seq": "60", "settled": "50"]) { fixture async throws in
            #expect(try await fixture.store.install(installation()) == .installed(announced: 63))
            #expect(try await fixture.stock()?["seq"] == "50")
        }
    }

    /// The stored position before and after.
    private static let watermarks: [(String?, Int64)] = [
        ("63", 63), ("74", 74), ("9", 9), ("0", 0), ("75", 0), ("-1", 0), ("007", 0), ("1e1", 0), ("5.5", 0), ("x", 0),
        ("", 0), (nil, 0),
    ]

    @Test(
        "preserves the announced position unless the ledger is behind it", arguments: watermarks.indices)
    func announced(_ index: Int) async throws {
        let (before, after) = Self.watermarks[index]
        try await withCounters([:]) { fixture async throws in
            try await fixture.server.command("HDEL", fixture.keys.stock, "announced")
            if let before { try await fixture.set(["announced": before], in: fixture.keys.stock) }
            #expect(try await fixture.store.install(installation()) == .installed(announced: after))
            #expect(try await fixture.stock()?["announced"] == "\(after)")
        }
    }

    @Test("is refused when late or repeated")
    func late() async throws {
        try await withCounters(nil) { fixture async throws in
            let store = fixture.store
            #expect(try await store.install(installation(epoch: 8)) == .installed(announced: 0))
            let answer = try await store.decide([take((p, 1))], epoch: 8, seq: 50)
            #expect(answer == .decided(seq: 51, [.accepted(seq: 51)]))
            #expect(try await store.install(installation(epoch: 8)) == .refused(.laterEpoch(8)))
            #expect(try await store.install(installation(epoch: 7)) == .refused(.laterEpoch(8)))
            #expect(try await fixture.stock()?["sold:p:P"] == "6")
        }
    }

    @Test("removes what earlier attempts have left")
    func leftovers() async throws {
        try await withCounters(nil) { fixture async throws in
            for epoch in 7...8 as ClosedRange<Int64> {
                // A crash while the counters were being prepared.
                try await fixture.set(["ledger": "L", "sold:p:gone": "1"], in: fixture.keys.staging(epoch: epoch))
            }
            #expect(try await fixture.store.install(installation()) == .installed(announced: 0))
            #expect(
                try await fixture.server.keyspace() == [
                    "bystander": .text("untouched"), fixture.keys.stock: .hash(Self.installed),
                ])
        }
    }

    @Test("is an error when the prepared counters are not those that were sent")
    func incomplete() async throws {
        try await withCounters([:]) { fixture async throws in
            let before = try await fixture.stock()
            // A duplicate counter simulates a field that was removed in the meantime.
            var doubled = installation()
            doubled.counters.append(doubled.counters[0])
            await #expect(throws: CountersError.installIncomplete(sent: 14, found: "12")) {
                try await fixture.store.install(doubled)
            }
            #expect(try await fixture.stock() == before)
        }
    }

    @Test("is an error when the counters' key is not a hash")
    func wrongType() async throws {
        try await withCounters(nil) { fixture async throws in
            try await fixture.server.command("SET", fixture.keys.stock, "text")
            let error = try await replyError { _ = try await fixture.store.install(installation()) }
            #expect(error?.code == "WRONGTYPE")
            #expect(try await fixture.server.keyspace()[fixture.keys.stock] == .text("text"))
        }
    }

    @Test(
        "changes nothing when the script's arguments are malformed, or nothing is prepared",
        arguments: [
            [], ["L"], ["L", "8"], ["L", "8", "50"], ["L", "8", "50", "70"], ["L", "x", "50", "70", "2"],
            ["L", "8", "x", "70", "2"], ["L", "8", "50", "x", "2"], ["L", "8", "50", "70", "x"],
            ["L", "8", "50", "70", "3"], ["L", "8", "50", "70", "0"],
        ], [true, false])
    func malformed(_ arguments: [String], _ isPrepared: Bool) async throws {
        try await withCounters([:]) { fixture async throws in
            let staging = fixture.keys.staging(epoch: 8)
            if isPrepared { try await fixture.set(["ledger": "L", "epoch": "8"], in: staging) }
            let before = try await fixture.server.keyspace()
            var word: String?
            let error = try await replyError {
                let reply = try await fixture.run(.install, keys: [fixture.keys.stock, staging], arguments)
                word = reply.array?.first?.string
            }
            #expect(error?.code == "ERR" || (word != nil && word != "INSTALLED"))
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("accepts 100,000 counters")
    func many() async throws {
        try await withCounters(nil) { fixture async throws in
            var large = installation()
            large.counters = (0..<100_000).map {
                (.variant(Identifier("variant-\($0)")), CounterState(sold: Int64($0), cap: 1_000_000, isActive: true))
            }
            #expect(try await fixture.store.install(large) == .installed(announced: 0))
            #expect(try await fixture.server.command("HLEN", fixture.keys.stock).int == 200_007)
            #expect(try await fixture.server.command("DBSIZE").int == 2)
            let snapshot = try await fixture.reader.snapshot([0, 1_999, 2_000, 99_999].map { large.counters[$0].name })
            #expect(snapshot.counters.map(\.state.sold) == [0, 1_999, 2_000, 99_999])
        }
    }
}
