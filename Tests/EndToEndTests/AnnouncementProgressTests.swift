import Foundation
import RedisClient
import TestSupport
import Testing

/// Outcomes that Redis rejects or loses wait in the ledger and delay nothing else.
@Suite(.serialized) struct AnnouncementProgressTests {
    private let orders = SequentialModel.rush

    private func unannounced(_ shop: Shop) async throws -> Int {
        let announced = try await shop.redis.command("HGET", shop.keys.stock, "announced").int ?? -1
        return try Int(shop.value("SELECT position FROM ledger")).map { $0 - Int(announced) } ?? -1
    }

    private func expectDoctor(_ shop: Shop, says status: String) async throws {
        let result = try await shop.run(["doctor"])
        let line = result.output.split(separator: "\n").first { $0.hasPrefix("outcomes ") }
        #expect(line?.contains(" \(status) ") == true, "\(result.output)")
    }

    @Test("Without the right to XADD everything is decided and acknowledged; with it, all is announced in order")
    func withoutRight() async throws {
        let shop = try await Shop()
        let user = ShippedUser.consumer
        try await user.add(to: shop.redis)
        let consumer = try await shop.startConsumer(
            "--batch-orders", "5", environment: ["STOCKTAKE_REDIS_URL": user.address(of: shop.redis, database: 0)])
        try await shop.publish(orders.prefix(20).map(\.message))
        try await shop.waitForOrders(20)
        try await user.take("+xadd", on: shop.redis)
        try await shop.publish(orders.dropFirst(20).map(\.message))
        let line = try await consumer.waitForLine(containing: "redis refuses to announce outcomes")
        #expect(line.contains("Grant it to the user with ACL SETUSER"))
        try await shop.waitForOrders(orders.count)
        try await eventually("everything acknowledged") { try await shop.pending() == 0 }
        #expect(try await unannounced(shop) > 0)
        try await expectDoctor(shop, says: "bad")
        // Nothing is lost if the process dies in the meantime.
        _ = try await consumer.kill()
        try await expectDoctor(shop, says: "warn")
        let next = try await shop.startConsumer(
            environment: ["STOCKTAKE_REDIS_URL": user.address(of: shop.redis, database: 0)])
        try await next.waitForLine(containing: "redis refuses to announce outcomes")
        try await user.give("+xadd", on: shop.redis)
        try await next.waitForLine(containing: "redis accepts outcomes again")
        try await eventually("everything announced") { try await unannounced(shop) == 0 }
        try await expectDoctor(shop, says: "ok")
        // Each transition is logged once: that Redis refuses outcomes, and that it takes them again.
        #expect(next.standardError.components(separatedBy: "redis refuses to announce").count == 2)
        #expect(try await next.stop() == .exited(0))
        #expect(try await shop.outcomes().count == orders.count)
        try await shop.expectResult(of: orders)
    }

    @Test("A key of a different type for the outcomes delays nothing; --until-idle ends once it is deleted")
    func wrongType() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.redis.command("SET", shop.keys.outcomes, "text")
        let consumer = try shop.start(["consume", "--until-idle", "--batch-orders", "5"])
        let line = try await consumer.waitForLine(containing: "redis refuses to announce outcomes")
        #expect(line.contains("WRONGTYPE") && line.contains("find it with TYPE"))
        try await shop.waitForOrders(orders.count)
        try await eventually("everything acknowledged") { try await shop.pending() == 0 }
        #expect(consumer.ending == nil)
        try await shop.redis.command("DEL", shop.keys.outcomes)
        #expect(try await consumer.waitForEnding() == .exited(0))
        #expect(try await shop.outcomes().count == orders.count)
        try await shop.expectResult(of: orders)
    }

    @Test("After a flush the latest outcomes are announced to Redis again, up to the number it keeps")
    func flushed() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--keep-outcomes", "10")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        try await shop.redis.command("FLUSHALL")
        try await eventually("an epoch, and outcomes") { try await unannounced(shop) == 0 }
        let rows = try shop.recordedOutcomes()
        let announced = try await shop.outcomes().map { $0["position"] }
        #expect(announced == rows.suffix(10).map { $0["position"] })
        #expect(try await consumer.stop() == .exited(0))
    }
}
