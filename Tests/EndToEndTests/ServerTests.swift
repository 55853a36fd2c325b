import Counters
import Foundation
import Ingest
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport
import Testing

/// The servers that Stocktake supports, each with the users of `config/redis.conf`.
@Suite struct ServerTests {
    @Test(
        "Valkey and Redis 8 are installed for these tests",
        .enabled(
            if: RedisServerProgram.absent.isEmpty,
            "tests on \(RedisServerProgram.absent) are left out: scripts/servers/fetch gets them"))
    func present() {
        #expect(RedisServerProgram.present == RedisServerProgram.all)
    }

    @Test("Every script works for the consumer's user", arguments: RedisServerProgram.present)
    func scripts(server program: RedisServerProgram) async throws {
        try await withRedisServer(on: program) { server async throws in
            try await ShippedUser.consumer.add(to: server)
            var trial = ScriptTrial(server: server, client: try ShippedUser.consumer.client(of: server))
            try await trial.tryCounters()
            try await trial.tryStream()
            #expect(trial.tried == Set(Script.allCases), "a script that is not tried here")
            await trial.client.close()
        }
    }

    @Test(
        "A sale works with a user per duty, and config/redis.conf lists all that doctor cannot check",
        arguments: RedisServerProgram.present)
    func sale(server program: RedisServerProgram) async throws {
        let shop = try await Shop(on: program)
        try await ShippedUser.consumer.add(to: shop.redis, with: ["+xgroup|destroy"])
        try await ShippedUser.publisher.add(to: shop.redis)
        try await ShippedUser.shop.add(to: shop.redis)
        func succeed(_ user: ShippedUser, _ arguments: String..., input: String = "") async throws -> String {
            let environment = ["STOCKTAKE_REDIS_URL": user.address(of: shop.redis)]
            let result = try await shop.run(arguments, environment: environment, input: input)
            #expect(result.status == 0, "\(arguments): \(result.errors)\(result.output)")
            return result.output
        }
        let listener = try ChildProcess(
            "redis-cli",
            [
                "-s", shop.redis.socketPath, "--user", ShippedUser.shop.name, "--pass", "PASSWORD", "SUBSCRIBE",
                shop.keys.changes,
            ])
        try await eventually("a subscriber") {
            try await shop.redis.command("PUBSUB", "NUMSUB", shop.keys.changes).array?.last?.int == 1
        }
        let lines = SequentialModel.rush.map(\.message).joined(separator: "\n")
        _ = try await succeed(.publisher, "publish", "-", input: lines)
        _ = try await succeed(.consumer, "consume", "--until-idle")
        try await shop.expectResult(of: SequentialModel.rush)
        try await listener.waitForLine(containing: "LAMP")
        let reader = try ShippedUser.shop.client(of: shop.redis)
        #expect(try await reader.send(RedisCommand("HMGET", shop.keys.stock, "cap:p:LAMP")).array?.first?.string == "7")
        await #expect(throws: RedisError.self) {
            try await reader.send(RedisCommand("XADD", shop.keys.checkouts, "*", "type", "t"))
        }
        await reader.close()
        let backup = shop.folder.path(of: "backup")
        _ = try await succeed(.consumer, "reconcile")
        _ = try await succeed(.consumer, "ledger", "backup", backup)
        let report = try await succeed(.consumer, "doctor")
        // Reported under its own name: Valkey also claims to be Redis 7.2.
        let names = [RedisServerProgram.valkey: "Valkey 9.", .redis8: "Redis 8."]
        #expect(report.contains(": \(names[program] ?? "Redis ")"), "\(report)")
        let unknown = report.split(separator: "\n").filter { $0.contains(" unknown ") }
        #expect(unknown.count == 1 && unknown[0].hasPrefix("redis appendfsync"), "\(report)")
        _ = try await succeed(.consumer, "ledger", "restore", backup, "--yes")
    }
}

/// Runs every script once and checks its effect.
private struct ScriptTrial {
    let server: TestRedisServer
    let client: RedisClient
    private(set) var tried: Set<Script> = []

    private let keys = StoreKeys(store: "main")
    private var store: CounterStore { CounterStore(keys: keys, ledger: "L", client: client) }

    init(server: TestRedisServer, client: RedisClient) {
        self.server = server
        self.client = client
    }

    mutating func tryCounters() async throws {
        let lamp = CounterName.product("LAMP")
        tried.formUnion([.stage, .install])
        let installation = Installation(
            epoch: 1, seq: 0, position: 1, catalogueVersion: 1,
            counters: [(lamp, CounterState(sold: 1, cap: 3, isActive: true))])
        #expect(try await store.install(installation) == .installed(announced: 0))

        tried.insert(.gate)
        let commands = ([1, 2] as [Int64]).map { units in
            let order = Domain.Order(
                Checkout(
                    orderID: Identifier("o\(units)"), items: [.init(productID: "LAMP", units: units, unitPrice: 1)]))
            return PlannedCommand(.placeOrder(order), movements: order.movements)
        }
        let shortage = Shortage(counter: lamp, asked: 2, left: 1)
        #expect(
            try await store.decide(commands, epoch: 1, seq: 0)
                == .decided(seq: 1, [.accepted(seq: 1), .refused(shortage)]))

        tried.insert(.snapshot)
        let snapshot = try await CounterReader(keys: keys, client: client).snapshot([lamp])
        #expect(snapshot.head.epoch == 1 && snapshot.head.seq == 1)
        #expect(snapshot.counters.map(\.state) == [CounterState(sold: 2, cap: 3, isActive: true)])

        tried.insert(.writable)
        try await server.command("CONFIG", "SET", "maxmemory", "1")
        #expect(try await store.isRedisFull())
        try await server.command("CONFIG", "SET", "maxmemory", "0")
        #expect(try await !store.isRedisFull())
    }

    mutating func tryStream() async throws {
        // Read by a consumer that has ended, and claimed from it, as after a crash.
        tried.insert(.group)
        let fields = StreamEntry.fields(type: Array("t".utf8), payload: Array("{}".utf8))
        for _ in 1...3 { _ = try await client.send(StreamWriter.add(fields, to: keys)) }
        let gone = StreamReader(client: client, keys: keys, consumer: "gone")
        try await gone.connect()
        #expect(try await gone.next(block: .milliseconds(1)).entries.isEmpty)
        let ids = try await gone.next(block: .seconds(1)).entries.map(\.id)
        try #require(ids.count == 3)
        let reader = StreamReader(client: client, keys: keys, consumer: "next")
        try await reader.connect()
        let claimed = try await reader.next(block: .seconds(1)).entries
        #expect(claimed.map(\.id) == ids && claimed.allSatisfy { $0.deliveries == 2 })

        tried.insert(.acknowledge)
        let acknowledgement = Acknowledgement(
            epoch: 1, settled: 1, recorded: 2, entries: Array(ids.prefix(2)),
            announcement: Announcement(
                after: 0, through: 2,
                outcomes: [
                    RecordedOutcome(
                        outcome: Outcome(kind: .accepted, ids: [.placeOrder: "o"], seq: 1, units: 1, decidedAt: ""),
                        place: EpochPosition(epoch: 1, position: 2))
                ]), changed: ["LAMP"])
        #expect(
            try await store.acknowledge(acknowledgement, keepOutcomes: 100)
                == .acknowledged(AcknowledgeReport(acknowledged: 2, announced: 2)))
        #expect(try await server.command("XLEN", keys.outcomes).int == 1)
        #expect(try await server.command("XPENDING", keys.checkouts, StoreKeys.group).array?.first?.int == 1)

        tried.insert(.inspect)
        let found = try await ScriptRunner(client: client).run(.inspect, keys: [keys.checkouts]) { command in
            command.append(ids[2])
            command.append(1 << 26)
        }
        // The names, "t" and "{}".
        #expect(found.array?[0].string == "ENTRY" && found.array?[1].int == 2 && found.array?[2].int == 14)

        tried.insert(.extent)
        #expect(try await store.oldestMessage()?.text == ids[0])

        tried.insert(.lost)
        #expect(try await store.checkForLostMessages() == LostMessages(found: 0, total: 0, foundAt: nil))
        try await server.command("XACK", keys.checkouts, StoreKeys.group, ids[2])
        #expect(try await store.checkForLostMessages().found == 1)

        tried.insert(.tidy)
        #expect(try await store.removeIdleConsumers(except: "next") == 1)

        tried.insert(.trim)
        #expect(try await store.trim(Retention(age: .zero, messages: 100, outcomes: 100)).messages == 2)
        #expect(try await server.command("XLEN", keys.checkouts).int == 1)
    }
}
