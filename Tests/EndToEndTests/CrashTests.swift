import Failpoints
import Foundation
import TestSupport
import Testing

/// A `kill -9` before and after every step, and while an epoch is opened: after a restart the result is right.
@Suite(.serialized) struct CrashTests {
    /// Messages of every type, sometimes followed by a replay, a conflict and one that can never be processed.
    private static let messages: [String] = SequentialModel.orderDetails.enumerated().flatMap {
        number, message -> [String] in
        switch (number % 10, message) {
        case (3, _): [message.message, message.message]
        case (6, .order(let order)): [order.message, SequentialModel.Order(order.id, ("PANEL", nil, 999)).message]
        case (9, _): [message.message, #"{"type": "checkout.completed", "payload": {"order_id": "bad-\#(number)"}}"#]
        default: [message.message]
        }
    }
    /// Conflicts, messages that can never be processed, that precede their order, or that take too much away.
    private static let deadLetters = messages.filter { message in
        ["\"quantity\": 999", "bad-", "\"early\"", "too-much"].contains { message.contains($0) }
    }.count

    private func expectRightEnd(_ shop: Shop) async throws {
        try await shop.consumeAll()
        #expect(try shop.count("dead_letters") == Self.deadLetters)
        #expect(
            try shop.query("SELECT DISTINCT status FROM dead_letters WHERE reason = 'unknown_order'") == [["replayed"]])
        try await shop.expectResult(of: SequentialModel.orderDetails)
        // Outcomes are announced at least once, and no order is ever announced with a different one.
        let model = SequentialModel().taking(SequentialModel.orderDetails)
        var announced: [String: Set<String>] = [:]
        for outcome in try await shop.outcomes() where outcome["outcome"] != "dead_letter" {
            let ids = ["adjustment_id", "cancellation_id", "order_id"].compactMap { outcome[$0] }
            announced[ids.first { !$0.isEmpty } ?? "", default: []].insert(outcome["outcome"] ?? "")
        }
        var expected = model.statuses.mapValues { $0 == "refused" ? "refused" : "accepted" }
        for id in model.givenBack.keys { expected[id] = "cancelled" }
        for id in model.adjusted.keys { expected[id] = "adjusted" }
        #expect(announced == expected.mapValues { [$0] })
    }

    @Test(
        "A crash at each step leaves nothing sold twice, stranded or lost",
        arguments: Failpoint.allCases.filter {
            // `acknowledgeBetween` needs a batch that is acknowledged in several slices: see below.
            ![.decodeEntry, .acknowledgeBetween].contains($0) && !Failpoint.ofRestore.contains($0)
        })
    func crash(at point: Failpoint) async throws {
        let shop = try await Shop()
        try await shop.publish(Self.messages)
        let consumer = try shop.start(["consume"], environment: ["STOCKTAKE_FAILPOINT": point.rawValue])
        #expect(try await consumer.waitForEnding() == .signalled(SIGKILL))
        try await expectRightEnd(shop)
    }

    @Test(
        "A crash in a later batch leaves nothing sold twice, stranded or lost",
        arguments: [
            Failpoint.decideAfter, .recordBefore, .recordBeforeCommit, .recordAfter, .acknowledgeBefore,
            .acknowledgeBetween,
            .acknowledgeAfter,
        ])
    func crashLater(at point: Failpoint) async throws {
        let shop = try await Shop()
        try await shop.publish(Self.messages)
        let consumer = try shop.start(
            ["consume", "--batch-orders", "7"], environment: ["STOCKTAKE_FAILPOINT": "\(point.rawValue):4"])
        #expect(try await consumer.waitForEnding() == .signalled(SIGKILL))
        try await expectRightEnd(shop)
    }

    @Test(
        "A crash while lost Redis data is repaired leaves nothing sold twice, stranded or lost",
        arguments: [Failpoint.epochBefore, .epochBeforeCommit, .epochRaised, .epochPrepared, .epochInstalled])
    func crashInRecovery(at point: Failpoint) async throws {
        let shop = try await Shop()
        try await shop.publish(Array(Self.messages.prefix(30)))
        let consumer = try await shop.startConsumer(environment: ["STOCKTAKE_FAILPOINT": "\(point.rawValue):2"])
        _ = try await shop.redis.command("DEL", shop.keys.stock)
        #expect(try await consumer.waitForEnding() == .signalled(SIGKILL))
        try await shop.publish(Array(Self.messages.dropFirst(30)))
        try await expectRightEnd(shop)
    }

    @Test("Orders that are processed alone because consumers were killed repeatedly are not blamed")
    func killedWhileCandidates() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.rush.map(\.message))
        var generator = TestSeed.generator()
        for _ in 0..<8 {
            let consumer = try await shop.startConsumer()
            let killed = ContinuousClock.now + .milliseconds(Int.random(in: 0...8, using: &generator))
            while ContinuousClock.now < killed { await Task.yield() }
            _ = try await consumer.kill()
        }
        try await shop.consumeAll()
        #expect(try shop.count("dead_letters") == 0)
        try await shop.expectResult(of: SequentialModel.rush)
    }

    @Test("A message that crashes the process three times alone becomes a dead letter, undecoded")
    func crashingMessage() async throws {
        let shop = try await Shop()
        let poison = SequentialModel.Order("poison", ("PANEL", nil, 1)).message
        let orders = Array(SequentialModel.rush.prefix(6))
        try await shop.publish(orders.prefix(3).map(\.message) + [poison] + orders.suffix(3).map(\.message))
        var crashes = 0
        while true {
            let consumer = try shop.start(
                ["consume", "--until-idle"], environment: ["STOCKTAKE_FAILPOINT": "decode.entry:poison"])
            if try await consumer.waitForEnding() == .exited(0) { break }
            crashes += 1
            try #require(crashes < 10)
        }
        // Two crashes within a batch make it a suspect; three more follow alone.
        #expect(crashes == 5)
        #expect(try shop.query("SELECT reason FROM dead_letters") == [["crashed_consumer"]])
        let payload = try shop.value("SELECT CAST(payload AS TEXT) FROM dead_letters")
        #expect(poison.contains(payload) && payload.contains("poison"))
        #expect(try shop.count("attempts") == 0)
        try await shop.expectResult(of: orders)
    }

    @Test("So does a message whose batch cannot be prepared, for instance for lack of memory")
    func crashingPreparation() async throws {
        let shop = try await Shop()
        try await shop.publish([SequentialModel.rush[0].message])
        var crashes = 0
        while true {
            let consumer = try shop.start(
                ["consume", "--until-idle"], environment: ["STOCKTAKE_FAILPOINT": "plan.after"])
            if try await consumer.waitForEnding() == .exited(0) { break }
            crashes += 1
            try #require(crashes < 10)
        }
        #expect(crashes == 5)
        #expect(try shop.query("SELECT reason FROM dead_letters") == [["crashed_consumer"]])
        try await shop.expectConsistent()
    }
}
