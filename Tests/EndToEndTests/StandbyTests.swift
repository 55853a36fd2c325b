import Foundation
import TestSupport
import Testing

/// Several consumers of one store, and the orderly shutdown of one.
@Suite(.serialized) struct StandbyTests {
    @Test("A standby says so, and takes over within a second of the active consumer's kill -9")
    func takeOver() async throws {
        let shop = try await Shop()
        let first = try await shop.startConsumer()
        let second = try shop.start(["consume"])
        let line = try await second.waitForLine(containing: "standing by")
        #expect(line.contains("process \(first.processID) consumes store main"))
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.waitForOrders(SequentialModel.rush.count)
        let killed = ContinuousClock.now
        _ = try await first.kill()
        try await second.waitForLine(containing: "consuming store")
        // The promised second, with room for a machine that is busy with other tests.
        #expect(ContinuousClock.now - killed < .seconds(3))
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(SequentialModel.rush.count + 1)
        #expect(try await second.stop() == .exited(0))
        try await shop.expectResult(of: SequentialModel.rush + [SequentialModel.Order("late", ("PANEL", nil, 1))])
    }

    @Test("SIGTERM finishes and acknowledges messages that were read, and ends with 0")
    func politeEnd() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--batch-orders", "3")
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.waitForOrders(1)
        let asked = ContinuousClock.now
        #expect(try await consumer.stop() == .exited(0))
        #expect(ContinuousClock.now - asked < .seconds(10))
        // Delivered messages are acknowledged; the rest is unread.
        #expect(try await shop.pending() == 0)
        let orders = try shop.count("orders")
        #expect(try await shop.outcomes().count == orders)
        try await shop.consumeAll()
        try await shop.expectResult(of: SequentialModel.rush)
    }

    @Test("The stream is trimmed behind the consumer, and keeps what it is configured to keep")
    func trimming() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.consumeAll()
        func length() async throws -> Int64? { try await shop.redis.command("XLEN", shop.keys.checkouts).int }
        #expect(try await length() == Int64(SequentialModel.rush.count))
        let consumer = try await shop.startConsumer("--keep-messages-s", "0")
        // The group's last delivered entry is kept.
        try await eventually("an empty stream") { try await length() == 1 }
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(SequentialModel.rush.count + 1)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("A standby and a consumer without Redis end at once on SIGTERM")
    func politeEndWhileWaiting() async throws {
        let shop = try await Shop()
        let active = try await shop.startConsumer()
        let standby = try shop.start(["consume"])
        try await standby.waitForLine(containing: "standing by")
        #expect(try await standby.stop() == .exited(0))
        await shop.redis.kill()
        try await active.waitForLine(containing: "cannot connect")
        #expect(try await active.stop() == .exited(0))
    }
}
