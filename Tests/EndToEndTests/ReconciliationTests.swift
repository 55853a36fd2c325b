import Counters
import Foundation
import Domain
import Ledger
import SQLiteLedger
import Reconciliation
import RedisClient
import Synchronization
import TestSupport
import Testing

/// Drift is found exactly, and repaired, while orders flow and counters are edited manually.
@Suite struct ReconciliationTests {
    private typealias Order = SequentialModel.Order
    private typealias Cancellation = SequentialModel.Cancellation

    private static let orders = SequentialModel.rush

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func edit(_ shop: Shop, _ words: [String]) async throws {
        var command = RedisCommand(words[0], shop.keys.stock)
        command.append(contentsOf: words.dropFirst())
        let client = shop.redis.client()
        _ = try await client.send(command)
        await client.close()
    }

    /// Compares the consumer's consistent snapshot while the consumer decides and records at full speed.
    @Test("A thousand reconciliations in a row report no drift, with the consumer at full speed")
    func thousandTimes() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let ledger = try await LedgerDatabase.open(at: shop.ledger, store: "main", for: .reader)
        let client = shop.redis.client()
        let reconciler = Reconciler(
            ledger: ledger, counters: CounterReader(keys: shop.keys, client: client), redis: "redis")
        let isOver = Flag()
        async let published: Int = {
            var number = 0
            while !isOver.isSet {
                let messages = (number..<number + 500).flatMap { number -> [SequentialModel.Message] in
                    let order = SequentialModel.Message.order(Order("o-\(number)", ("PANEL", nil, 1 + number % 3)))
                    if number % 50 != 0 { return [order] }
                    return [order, .cancellation(Cancellation("c-\(number)", of: "o-\(max(number - 30, 0))"))]
                }
                try await shop.publish(messages)
                number += 500
                // Stays within what the consumer can process in seconds.
                try await eventually(within: .seconds(60), "the consumer to follow") {
                    try isOver.isSet || shop.count("orders") > number - 2_000
                }
            }
            return number
        }()
        var moving = 0
        var last: Int64 = -1
        for round in 1...1_000 {
            let report = try await reconciler.drift()
            #expect(report.isClean, "round \(round): \(report)")
            if report.seq != last { moving += 1 }
            last = report.seq
        }
        isOver.set()
        try await shop.waitForOrders(try await published, within: .seconds(60))
        // The consumer was making progress.
        #expect(moving > 50)
        await client.close()
        try ledger.close()
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    /// A manual edit of the counters, and the number of differences it causes.
    static let edits: [([String], Int)] = [
        (["HINCRBY", "sold:v:BLACK", "2"], 1), (["HINCRBY", "sold:p:CUBE", "-3"], 1),
        (["HSET", "cap:p:LAMP", "700"], 1),
        (["HDEL", "cap:v:BLACK", "cap:p:CUBE"], 2), (["HDEL", "sold:p:CUBE"], 1), (["HSET", "closed:p:PANEL", "1"], 1),
        (["HSET", "sold:p:GHOST", "1", "cap:p:GHOST", "1"], 2), (["HSET", "sold:p:PANEL", "9223372036854775807"], 1),
        (["HSET", "sold:p:PANEL", "many"], 1), (["HSET", "sold:v:BLACK", "-9223372036854775807"], 1),
        (["HSET", "sold:v:BLACK", "-9223372036854775808"], 1), (["HSET", "sold:v:BLACK", "-9223372036854775803"], 1),
    ]

    @Test("reconcile --repair reverts a manual edit without a consumer", arguments: edits.indices)
    func repairIdle(_ index: Int) async throws {
        let (words, differences) = Self.edits[index]
        let shop = try await Shop()
        try await shop.publish(Self.orders.map(\.message))
        try await shop.consumeAll()
        try await edit(shop, words)
        let found = try await shop.run(["reconcile", "--json"])
        #expect(found.status == 1)
        let report = try json(found.output)
        let drift = (report["drift"] as? [Any])?.count ?? 0
        #expect(drift + (report["extra_fields"] as? Int ?? 0) == differences)
        let repaired = try await shop.run(["reconcile", "--repair", "--json"])
        #expect(repaired.status == 0, "\(repaired.errors)")
        let done = try json(repaired.output)
        #expect(done["repaired"] as? Int == differences)
        #expect(try shop.count("repairs") == differences)
        let epoch = try #require(done["repair_epoch"] as? Int)
        #expect(try shop.query("SELECT DISTINCT epoch FROM repairs") == [["\(epoch)"]])
        #expect(try shop.value("SELECT max(epoch) FROM epochs") == "\(done["installed_epoch"] as? Int ?? 0)")
        #expect(try await shop.run(["reconcile"]).status == 0)
        try await shop.expectResult(of: Self.orders)
    }

    @Test("reconcile --repair asks an active consumer, and reports when it has repaired")
    func repairActive() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        try await shop.publish(Self.orders.map(\.message))
        try await shop.waitForOrders(Self.orders.count)
        try await edit(shop, ["HINCRBY", "sold:v:BLACK", "2"])
        let repaired = try await shop.run(["reconcile", "--repair"])
        #expect(repaired.status == 0, "\(repaired.errors)")
        #expect(try await consumer.stop() == .exited(0))
        let listed = try json(try await shop.succeed("repairs", "list", "--json"))
        let repair = try #require((listed["repairs"] as? [[String: Any]])?.first)
        #expect(repair["counter_id"] as? String == "BLACK" && repair["reason"] as? String != nil)
        let epoch = try #require(repair["epoch"] as? Int)
        #expect(repaired.output.contains("repaired 1 difference by epoch \(epoch), installed by epoch "))
        try await shop.expectResult(of: Self.orders)
    }

    @Test("If there are no counters to compare with, --repair installs them")
    func repairMissing() async throws {
        let shop = try await Shop()
        #expect(try await shop.run(["reconcile"]).status == 2)
        #expect(try await shop.run(["reconcile", "--repair"]).status == 0)
        #expect(try await shop.run(["reconcile"]).status == 0)
    }

    @Test("The periodic reconciler repairs manual edits of an idle consumer's counters", arguments: edits.indices)
    func periodic(_ index: Int) async throws {
        let (words, differences) = Self.edits[index]
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--reconcile-interval-s", "1")
        try await shop.publish(Self.orders.map(\.message))
        try await shop.waitForOrders(Self.orders.count)
        try await edit(shop, words)
        try await eventually(within: .seconds(20), "a repair") { try shop.count("repairs") == differences }
        try await eventually(within: .seconds(20), "no drift") { try await shop.run(["reconcile"]).status == 0 }
        #expect(try await consumer.stop() == .exited(0))
        #expect(consumer.standardError.contains("a counter drifts"))
        try await shop.expectResult(of: Self.orders)
    }

    @Test("Edits and repairs while orders flow change no decision")
    func editedUnderLoad() async throws {
        let shop = try await Shop()
        var generator = TestSeed.generator()
        let messages = SequentialModel.orderDetails
        let consumer = try await shop.startConsumer("--reconcile-interval-s", "1", "--batch-orders", "3")
        for start in stride(from: 0, to: messages.count, by: 8) {
            try await shop.publish(Array(messages[start..<min(start + 8, messages.count)]))
            if let (words, _) = Self.edits.randomElement(using: &generator) { try await edit(shop, words) }
        }
        _ = try await shop.redis.command("DEL", shop.keys.stock)
        try await shop.waitForOrders(SequentialModel.rush.count)
        try await eventually(within: .seconds(20), "no drift") { try await shop.run(["reconcile"]).status == 0 }
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await shop.expectResult(of: messages)
    }

    @Test("reconcile --deep finds manual edits of the ledger, and --repair reverts them")
    func deep() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.orderDetails)
        try await shop.consumeAll()
        #expect(try await shop.run(["reconcile", "--deep"]).status == 0)
        try shop.edit("UPDATE product_counters SET sold_quantity = sold_quantity + 5 WHERE id = 'PANEL'")
        try shop.edit("UPDATE variant_counters SET adjusted_quantity = adjusted_quantity + 1 WHERE id = 'GREEN'")
        let found = try json(try await shop.run(["reconcile", "--deep", "--json"]).output)
        #expect((found["miscounts"] as? [[String: Any]])?.compactMap { $0["id"] as? String } == ["PANEL", "GREEN"])
        #expect(try await shop.run(["reconcile", "--deep", "--repair"]).status == 0)
        try await shop.expectResult(of: SequentialModel.orderDetails)
    }

    @Test("A ledger total edited too low is repaired when a cancellation reveals it, and nothing stops")
    func tooLow() async throws {
        let shop = try await Shop()
        try await shop.publish([Order("o", ("LAMP", nil, 5)).message])
        try await shop.consumeAll()
        try shop.edit("UPDATE product_counters SET sold_quantity = 2 WHERE id = 'LAMP'")
        let messages: [SequentialModel.Message] = [
            .order(Order("o", ("LAMP", nil, 5))), .cancellation(Cancellation("c", of: "o")),
        ]
        try await shop.publish(messages)
        try await shop.consumeAll()
        #expect(try shop.value("SELECT found || '→' || expected FROM repairs WHERE place = 'ledger'") == "2→5")
        try await shop.expectResult(of: messages)
    }

    @Test("For a correct counter --repair reports only that the ledger was wrong, and lists all with --all")
    func ledgerWrong() async throws {
        let shop = try await Shop()
        try await shop.publish([Order("o", ("LAMP", nil, 5)).message])
        try await shop.consumeAll()
        try shop.edit("UPDATE product_counters SET sold_quantity = 2 WHERE id = 'LAMP'")
        let repaired = try await shop.run(["reconcile", "--repair", "--all"])
        #expect(repaired.status == 0)
        #expect(repaired.output.contains("repaired 1 difference"))
        #expect(repaired.output.contains("LAMP"))
        #expect(try shop.query("SELECT place, found, expected FROM repairs") == [["ledger", "2", "5"]])
        try await shop.expectConsistent()
    }

    @Test("--repair does not raise the epoch of a stale or foreign ledger")
    func wrongLedger() async throws {
        let shop = try await Shop()
        try await shop.publish([Order("o", ("LAMP", nil, 5)).message])
        try await shop.consumeAll()
        let epoch = try shop.value("SELECT epoch FROM ledger")
        _ = try await shop.redis.command("HINCRBY", shop.keys.stock, "epoch", "5")
        for _ in 0..<2 { #expect(try await shop.run(["reconcile", "--repair"]).status == 2) }
        #expect(try shop.value("SELECT epoch FROM ledger") == epoch)
    }

    @Test("A drift is explained by the orders whose changes the counter lacks")
    func explained() async throws {
        let shop = try await Shop()
        try await shop.publish([
            Order("first", ("LAMP", nil, 2)).message, Order("second", ("LAMP", nil, 1)).message,
            Order("third", ("LAMP", nil, 2)).message,
        ])
        try await shop.consumeAll()
        try await edit(shop, ["HINCRBY", "sold:p:LAMP", "-3"])
        let found = try await shop.run(["reconcile"])
        #expect(found.output.contains("as if these had not happened: order third, order second"))
    }
}

/// A flag that any thread can set, once.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set() { value.withLock { $0 = true } }
}
