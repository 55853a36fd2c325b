import Foundation
import TestSupport
import Testing

/// Units sold past the orders.
@Suite struct AdjustmentTests {
    @Test("stock adjust counts units as sold, waits for the answer, and is kept for good")
    func adjust() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let adjusted = try await shop.succeed(
            "stock", "adjust", "OTHER", "GREEN", "--sold", "+3", "--reason", "sold at a fair", "--id", "fair")
        #expect(adjusted.contains("recorded as fair, seq 1: GREEN 3 sold, 0 left"))
        // It is a fact; nothing more is sold.
        try await shop.publish([SequentialModel.Order("o", ("OTHER", "GREEN", 1)).message])
        try await shop.waitForOrders(1)
        #expect(try shop.value("SELECT status FROM orders") == "refused")
        // The same id again changes nothing; another number under it is a conflict.
        try await shop.succeed(
            "stock", "adjust", "OTHER", "GREEN", "--sold", "3", "--reason", "sold at a fair", "--id", "fair")
        let other = try await shop.run(
            ["stock", "adjust", "OTHER", "GREEN", "--sold", "7", "--reason", "x", "--id", "fair"])
        #expect(other.status == 1)
        #expect(other.errors.contains("adjustment_conflict"))
        try await shop.succeed("stock", "adjust", "OTHER", "GREEN", "--sold", "-2", "--reason", "found again")
        let tooMuch = try await shop.run(["stock", "adjust", "OTHER", "GREEN", "--sold", "-2", "--reason", "more"])
        #expect(tooMuch.status == 1)
        #expect(tooMuch.errors.contains("adjustment_too_large"))
        let listed = try await shop.succeed("adjustments", "list")
        #expect(listed.contains("fair") && listed.contains("+3") && listed.contains("-2"))
        #expect(try shop.value("SELECT sold_quantity FROM variants WHERE id = 'GREEN'") == "1")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("Without a consumer it says so, and is recorded when one comes")
    func withoutConsumer() async throws {
        let shop = try await Shop()
        let sent = try await shop.succeed("stock", "adjust", "LAMP", "--sold", "2", "--reason", "samples")
        #expect(sent.contains("recorded when a consumer runs"))
        try await shop.consumeAll()
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "2")
        try await shop.expectConsistent()
    }

    @Test(
        "Wrong usage is refused before anything is sent",
        arguments: [["--sold", "0", "--reason", "x"], ["--sold", "2000000000", "--reason", "x"], ["--sold", "1"]])
    func usage(_ arguments: [String]) async throws {
        let shop = try await Shop()
        #expect(try await shop.run(["stock", "adjust", "LAMP"] + arguments).status == 64)
    }
}
