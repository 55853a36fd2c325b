import Counters
import Inventory
import LuaScripts
import RedisClient
import Testing

private let p = CounterName.product("P")
private let q = CounterName.product("Q")
private let unlimited = ["sold:p:P": "0", "sold:p:Q": "0"]

/// A state that the batch was not made for, and what the gate says about it.
struct FenceCase: Sendable, CustomTestStringConvertible {
    var name: String
    var stock: [String: String]?
    var ledger = "L"
    var epoch = CountersFixture.epoch
    var seq = CountersFixture.seq
    var what: String
    var found = CounterHead(ledger: "L", epoch: 7, seq: 41)

    var testDescription: String { name }
}

@Suite("The gate changes nothing")
struct GateFenceTests {
    @Test("in any state but exactly the one it was asked to find", arguments: heads + fields)
    func fenced(_ each: FenceCase) async throws {
        try await withCounters(each.stock) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let store = CounterStore(keys: fixture.keys, ledger: each.ledger, client: fixture.client)
            // P comes first and is in order, but for what the case says.
            let answer = try await store.decide([take((p, 1)), take((q, 1))], epoch: each.epoch, seq: each.seq)
            #expect(answer == .fenced(what: each.what, found: each.found))
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    static let heads = [
        FenceCase(name: "another ledger", stock: unlimited, ledger: "M", what: "ledger"),
        FenceCase(name: "a later epoch", stock: unlimited, epoch: 6, what: "epoch"),
        FenceCase(name: "an earlier epoch", stock: unlimited, epoch: 8, what: "epoch"),
        FenceCase(name: "a later seq", stock: unlimited, seq: 40, what: "seq"),
        FenceCase(name: "an earlier seq", stock: unlimited, seq: 42, what: "seq"),
        FenceCase(
            name: "everything differs: the ledger is said", stock: unlimited, ledger: "M", epoch: 1, seq: 1,
            what: "ledger"),
        FenceCase(name: "nothing is installed", stock: nil, what: "ledger", found: CounterHead()),
        FenceCase(
            name: "a seq with a leading zero", stock: unlimited.merging(["seq": "041"]) { _, new in new }, what: "seq",
            found: CounterHead(ledger: "L", epoch: 7, seq: nil)),
        FenceCase(
            name: "an epoch that is no number", stock: unlimited.merging(["epoch": "x"]) { _, new in new },
            what: "epoch", found: CounterHead(ledger: "L", epoch: nil, seq: 41)),
    ]

    static let fields = [
        FenceCase(name: "no sold field", stock: ["sold:p:P": "0"], what: "sold:p:Q"),
        FenceCase(name: "a cap, but no sold field", stock: ["sold:p:P": "0", "cap:p:Q": "9"], what: "sold:p:Q"),
        FenceCase(name: "an empty sold field", stock: ["sold:p:P": "0", "sold:p:Q": ""], what: "sold:p:Q"),
        FenceCase(name: "a sold field of words", stock: ["sold:p:P": "0", "sold:p:Q": "many"], what: "sold:p:Q"),
        FenceCase(name: "a fraction sold", stock: ["sold:p:P": "0", "sold:p:Q": "1.5"], what: "sold:p:Q"),
        FenceCase(name: "infinitely many sold", stock: ["sold:p:P": "0", "sold:p:Q": "inf"], what: "sold:p:Q"),
        FenceCase(name: "not a number sold", stock: ["sold:p:P": "0", "sold:p:Q": "nan"], what: "sold:p:Q"),
        FenceCase(
            name: "2^53 sold", stock: ["sold:p:P": "0", "sold:p:Q": "9007199254740992"], what: "sold:p:Q"),
        FenceCase(
            name: "an empty cap", stock: ["sold:p:P": "0", "sold:p:Q": "0", "cap:p:Q": ""], what: "cap:p:Q"),
        FenceCase(
            name: "a cap of words", stock: ["sold:p:P": "0", "sold:p:Q": "0", "cap:p:Q": "null"], what: "cap:p:Q"),
        FenceCase(
            name: "a cap of 2^53", stock: ["sold:p:P": "0", "sold:p:Q": "0", "cap:p:Q": "9007199254740992"],
            what: "cap:p:Q"),
    ]

    @Test(
        "when its arguments are malformed, also behind an operation that fits",
        arguments: [
            ["L", "7", "41"], ["L", "7", "41", "x"], ["L", "7", "41", "1.5", "p:P"], ["L", "7", "41", "-1"],
            ["L", "7", "41", "1"], ["L", "7", "41", "3", "p:P"], ["L", "7", "41", "1e15", "p:P"],
            good + ["take"], good + ["take", "x"], good + ["sell", "1", "1", "1"], good + ["take", "1"],
            good + ["take", "1", "1"], good + ["take", "1", "2", "1"], good + ["take", "1", "0", "1"],
            good + ["take", "1", "1.5", "1"], good + ["take", "1", "x", "1"], good + ["take", "1", "1", "x"],
            good + ["give", "1", "1", "x"], good + ["give", "1"], good + ["take", "2", "1", "1"], good + [""],
        ])
    func malformed(_ arguments: [String]) async throws {
        try await withCounters(unlimited) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.run(.gate, keys: [fixture.keys.stock], arguments)
            }
            #expect(error?.code == "ERR")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    private static let good = ["L", "7", "41", "1", "p:P", "take", "1", "1", "1"]

    @Test(
        "when units are no positive integers, which would leave a counter that is none",
        arguments: ["1.5", "nan", "inf", "-1", "-inf", "9007199254740992"], ["take", "give"])
    func badUnits(_ units: String, _ kind: String) async throws {
        try await withCounters(unlimited) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.run(.gate, keys: [fixture.keys.stock], Self.good + [kind, "1", "1", units])
            }
            #expect(error?.code == "ERR")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("when the number of terms is below 0, and does not turn in circles over it")
    func negativeTerms() async throws {
        try await withCounters(unlimited) { fixture async throws in
            let arguments = ["L", "7", "41", "1", "p:P", "take", "-1"]
            var code: String?
            do {
                let runner = ScriptRunner(client: fixture.client)
                _ = try await runner.run(.gate, keys: [fixture.keys.stock], timeout: .seconds(1)) {
                    $0.append(contentsOf: arguments)
                }
            } catch RedisError.reply(let error, _) {
                code = error.code
            } catch RedisError.timedOut {
                // The server hangs in the script and collects answers: it must not go on.
                await fixture.server.kill()
            }
            #expect(code == "ERR")
        }
    }

    @Test("without arguments, but says that it is fenced")
    func noArguments() async throws {
        try await withCounters(unlimited) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let reply = try await fixture.run(.gate, keys: [fixture.keys.stock], [])
            #expect(reply.array?.first?.string == "FENCED")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("when the key is no hash")
    func wrongType() async throws {
        try await withCounters(nil) { fixture async throws in
            try await fixture.server.command("SET", fixture.keys.stock, "text")
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.store.decide([take((p, 1))], epoch: 7, seq: 41)
            }
            #expect(error?.code == "WRONGTYPE")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("when Redis is out of memory")
    func outOfMemory() async throws {
        try await withCounters(unlimited, ["--maxmemory-policy", "noeviction"]) { fixture async throws in
            let before = try await fixture.server.keyspace()
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "1")
            let error = try await replyError {
                _ = try await fixture.store.decide([take((p, 1))], epoch: 7, seq: 41)
            }
            #expect(error?.code == "OOM")
            #expect(try await fixture.server.keyspace() == before)
            // The same batch goes through once there is memory again.
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "0")
            let answer = try await fixture.store.decide([take((p, 1))], epoch: 7, seq: 41)
            #expect(answer == .decided(seq: 42, [.changed(seq: 42)]))
        }
    }
}
