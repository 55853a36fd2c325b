import Counters
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport

/// A server that may hold counters of the ledger "L" at epoch 7 and seq 41, and the types under test.
struct CountersFixture: Sendable {
    static let epoch: Int64 = 7
    static let seq: Int64 = 41
    static let head = [
        "ledger": "L", "epoch": "7", "seq": "41", "settled": "41", "recorded": "60", "catalogue": "3",
        "announced": "63",
    ]

    let server: TestRedisServer
    let client: RedisClient
    let keys = StoreKeys(store: "main")

    var store: CounterStore { CounterStore(keys: keys, ledger: "L", client: client) }
    var reader: CounterReader { CounterReader(keys: keys, client: client) }

    /// Runs a script with arguments that our code would never send.
    func run(_ script: Script, keys: [String], _ arguments: [String]) async throws -> RedisValue {
        try await ScriptRunner(client: client).run(script, keys: keys) { $0.append(contentsOf: arguments) }
    }

    func set(_ fields: [String: String], in key: String) async throws {
        var command = RedisCommand("HSET", key)
        for (field, value) in fields {
            command.append(field)
            command.append(value)
        }
        _ = try await client.send(command)
    }

    /// The current hash of counters.
    func stock() async throws -> [String: String]? {
        guard case .hash(let fields) = try await server.keyspace()[keys.stock] else { return nil }
        return fields
    }
}

/// - Parameter counters: Fields beside the head's, which they may replace; `nil` installs nothing.
func withCounters(
    _ counters: [String: String]?, _ arguments: [String] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (CountersFixture) async throws -> Void
) async throws {
    try await withRedisServer(arguments) { server async throws in
        let client = server.client()
        let fixture = CountersFixture(server: server, client: client)
        // A foreign key: everything else in Redis must remain unchanged.
        try await server.command("SET", "bystander", "untouched")
        if let counters {
            try await fixture.set(CountersFixture.head.merging(counters) { _, own in own }, in: fixture.keys.stock)
        }
        try await body(fixture)
        await client.close()
    }
}

/// Asks the gate for all of these units or none.
func take(_ units: (CounterName, Int64)...) -> PlannedCommand { take(units) }

func take(_ units: [(CounterName, Int64)]) -> PlannedCommand {
    // The gate reads only the movements.
    let order = Order(Checkout(orderID: "o", items: []))
    return PlannedCommand(.placeOrder(order), movements: units.map { Movement($0.0, sold: $0.1) })
}

/// Returns units, whatever the caps say.
func give(_ units: (CounterName, Int64)...) -> PlannedCommand { give(units) }

func give(_ units: [(CounterName, Int64)]) -> PlannedCommand {
    let cancellation = Cancellation(cancellationID: "c", orderID: "o")
    return PlannedCommand(.cancel(cancellation), movements: units.map { Movement($0.0, sold: -$0.1) })
}

/// Adds units that are already sold, whatever the caps say.
func add(_ units: (CounterName, Int64)...) -> PlannedCommand {
    let adjustment = Adjustment(adjustmentID: "a", sku: SKU("P"), units: 1, reason: "r")
    return PlannedCommand(.adjust(adjustment), movements: units.map { Movement($0.0, sold: $0.1, adjusted: $0.1) })
}

func refused(_ counter: CounterName, asked: Int64, left: Int64) -> Decision {
    .refused(Shortage(counter: counter, asked: asked, left: left))
}

/// The error reply that `body` throws; `nil` if it succeeds.
func replyError(_ body: () async throws -> Void) async throws -> RedisReplyError? {
    do {
        try await body()
        return nil
    } catch RedisError.reply(let error, _) {
        return error
    }
}
