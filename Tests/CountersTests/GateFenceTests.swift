import Counters
import Domain
import LuaScripts
import RedisClient
import Testing

private let p = CounterName.product("P")
private let q = CounterName.product("Q")
private let unlimited = ["sold:p:P": "0", "sold:p:Q": "0"]

/// A state that does not match the batch, and the gate's result.
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
    @Test("in any state except exactly the expected one", arguments: heads + fields)
    func fenced(_ each: FenceCase) async throws {
        try await withCounters(each.stock) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let store = CounterStore(keys: fixture.keys, ledger: each.ledger, client: fixture.client)
            // P comes first and is valid except for this case's defect.
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
        "when its arguments are malformed",
        arguments: [
            ["L", "7", "41"], ["L", "7", "41", "x"], ["L", "7", "41", "1.5", "p:P"], ["L", "7", "41", "-1"],
            ["L", "7", "41", "1"], ["L", "7", "41", "1", "p:P"], ["L", "7", "41", "3", "p:P"],
            ["L", "7", "41", "1e15", "p:P"], ["L", "7", "41", "1", "p:P", ""], ["L", "7", "41", "1", "p:P", "take"],
        ])
    func malformed(_ arguments: [String]) async throws {
        try await refuses { $0.append(contentsOf: arguments) }
    }

    /// Values in the array of commands, valid and invalid.
    enum Packed {
        case number(Int64)
        case fraction(Double)
        case text(String)
        case nothing

        fileprivate var bytes: [UInt8] {
            switch self {
            case .number(let number): [0xD3] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
            case .fraction(let number): [0xCB] + withUnsafeBytes(of: number.bitPattern.bigEndian) { Array($0) }
            case .text(let text): [0xA0 | UInt8(text.utf8.count)] + Array(text.utf8)
            case .nothing: [0xC0]
            }
        }

        static func array(_ elements: [Packed]) -> [UInt8] {
            [0x90 | UInt8(elements.count)] + elements.flatMap(\.bytes)
        }
    }

    private static let fits: [Packed] = [.number(0), .number(1), .number(1), .number(1)]

    @Test("decides only the command that precedes the malformed ones")
    func wellFormed() async throws {
        try await withCounters(unlimited) { fixture async throws in
            let reply = try await ScriptRunner(client: fixture.client).run(.gate, keys: [fixture.keys.stock]) {
                $0.append(contentsOf: ["L", "7", "41", "1", "p:P"])
                $0.append(Packed.array(Self.fits))
            }
            #expect(reply == .array([.bulk(Array("DECIDED".utf8)), .bulk(Array("42".utf8)), .array([.integer(42)])]))
        }
    }

    private static let notCommands: [[Packed]] = [
        [.number(0)], [.number(3), .number(1), .number(1), .number(1)], [.text("take"), .number(1)],
        [.number(0), .text("x")], [.number(0), .fraction(0.5)], [.number(0), .number(1)],
        [.number(0), .number(1), .number(1)], [.number(0), .number(2), .number(1), .number(1)],
        [.number(0), .number(1), .number(0), .number(1)], [.number(0), .number(1), .fraction(1.5), .number(1)],
        [.number(0), .number(1), .text("x"), .number(1)], [.number(0), .number(1), .number(2), .number(1)],
        [.nothing, .number(0), .number(1), .number(1), .number(1)],
    ]

    private static let badUnits: [Packed] = [
        .fraction(1.5), .fraction(.nan), .fraction(.infinity), .fraction(-.infinity), .number(0),
        .number(9_007_199_254_740_992), .number(-9_007_199_254_740_992), .text("1"), .nothing,
    ]

    @Test(
        "when a command behind one that fits is malformed, or its units are not valid integers",
        arguments: notCommands
            + [0, 1].flatMap { kind in badUnits.map { [.number(kind), .number(1), .number(1), $0] } }
            + [[.number(0), .number(1), .number(1), .number(-1)], [.number(2), .number(1), .number(1), .number(1)]])
    func malformedCommands(_ commands: [Packed]) async throws {
        try await refuses {
            $0.append(contentsOf: ["L", "7", "41", "1", "p:P"])
            $0.append(Packed.array(Self.fits + commands))
        }
    }

    @Test(
        "when the commands are not one complete array",
        arguments: [
            [], [0x01], [0xC1], Array(Packed.array(fits).dropLast()), Packed.array(fits) + [0x01],
            Packed.array(fits) + Packed.array(fits), Packed.array(fits) + Packed.nothing.bytes,
            [0xDD, 0xFF, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]])
    func noArray(_ bytes: [UInt8]) async throws {
        try await refuses {
            $0.append(contentsOf: ["L", "7", "41", "1", "p:P"])
            $0.append(bytes)
        }
    }

    /// Checks that the gate reports malformed arguments and changes nothing.
    private func refuses(_ arguments: (inout RedisCommand) -> Void) async throws {
        try await withCounters(unlimited) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await ScriptRunner(client: fixture.client).run(
                    .gate, keys: [fixture.keys.stock], arguments: arguments)
            }
            #expect(error?.message.hasPrefix("ERR gate: ") == true, "\(error?.message ?? "no error")")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("when the number of movements is negative, which must not loop forever")
    func negativeMovements() async throws {
        try await withCounters(unlimited) { fixture async throws in
            var message: String?
            do {
                let runner = ScriptRunner(client: fixture.client)
                _ = try await runner.run(.gate, keys: [fixture.keys.stock], timeout: .seconds(1)) {
                    $0.append(contentsOf: ["L", "7", "41", "1", "p:P"])
                    $0.append(Packed.array([.number(0), .number(-1)]))
                }
            } catch RedisError.reply(let error, _) {
                message = error.message
            } catch RedisError.timedOut {
                // The server loops in the script and buffers replies: it must not continue.
                await fixture.server.kill()
            }
            #expect(message?.hasPrefix("ERR gate: number 1 ") == true, "\(message ?? "no error")")
        }
    }

    @Test("without arguments, but reports that it is fenced")
    func noArguments() async throws {
        try await withCounters(unlimited) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let reply = try await fixture.run(.gate, keys: [fixture.keys.stock], [])
            #expect(reply.array?.first?.string == "FENCED")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("when the key is not a hash")
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
}
