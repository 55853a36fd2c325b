import Domain
import RedisClient
import RedisLayout
import TestSupport
import Testing

/// Other readers in the consumer group.
@Suite(.serialized) struct PendingEntriesTests {
    @Test("An entry delivered to another consumer is processed within 10 s although messages keep coming")
    func stolenUnderTraffic() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        // Continuous: no read is ever empty.
        let orders = (1...4_000).map { SequentialModel.Order("t\($0)", ("PANEL", nil, 1)).message }
        let publisher = try shop.start(
            ["publish", "--rate", "40", "-"], input: orders.joined(separator: "\n") + "\n")
        try await shop.waitForOrders(10)
        let thief = shop.redis.client()
        var stolen: String?
        while stolen == nil {
            let reply = try await thief.send(
                RedisCommand(
                    "XREADGROUP", "GROUP", StoreKeys.group, "thief", "COUNT", "1", "BLOCK", "1000", "STREAMS",
                    shop.keys.checkouts, ">"),
                timeout: .seconds(20))
            stolen = reply.array?.first?.array?.last?.array?.first?.array?.first?.string
        }
        let entry = try #require(stolen)
        let taken = ContinuousClock.now
        try await eventually(within: .seconds(20), "the stolen entry") {
            try shop.value("SELECT count(*) FROM orders WHERE entry_id = '\(entry)'") == "1"
        }
        #expect(ContinuousClock.now - taken < .seconds(10))
        #expect(publisher.ending == nil, "the messages must not have ended before")
        try await publisher.stop()
        await thief.close()
        try await eventually("everything to be acknowledged") { try await shop.pending() == 0 }
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("Unused consumers of the group are removed, with nothing lost")
    func unusedConsumers() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.rush.map(\.message))
        _ = try await shop.redis.command("XGROUP", "CREATE", shop.keys.checkouts, StoreKeys.group, "0")
        // One for each container that ever ran, two of which were killed with messages.
        for number in 1...20 {
            _ = try await shop.redis.command(
                "XGROUP", "CREATECONSUMER", shop.keys.checkouts, StoreKeys.group, "container-\(number)")
        }
        for number in 1...2 {
            _ = try await shop.redis.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "container-\(number)", "COUNT", "5", "STREAMS",
                shop.keys.checkouts, ">")
        }
        let consumer = try await shop.startConsumer("--consumer", "container-21")
        try await shop.waitForOrders(SequentialModel.rush.count)
        try await eventually(within: .seconds(30), "one consumer") {
            let consumers = try await shop.redis.command("XINFO", "CONSUMERS", shop.keys.checkouts, StoreKeys.group)
            return consumers.array?.compactMap { $0.fields["name"]?.string } == ["container-21"]
        }
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: SequentialModel.rush)
    }
}
