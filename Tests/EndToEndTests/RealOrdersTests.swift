import Foundation
import StrictJSON
import TestSupport
import Testing

/// Two thousand real orders of a real shop, with the exact result they must give whatever happens in between.
@Suite(
    .serialized, .enabled(if: RealOrders.exists, "no real orders at \(RealOrders.folder); set STOCKTAKE_REAL_ORDERS"))
struct RealOrdersTests {
    private func shop() async throws -> Shop {
        try await Shop(catalogue: String(contentsOfFile: RealOrders.path("products-2000.json"), encoding: .utf8))
    }

    private func publish(_ shop: Shop, times: Int = 1) async throws {
        let file = RealOrders.path("checkouts-2000.ndjson")
        try await shop.succeed(arguments: ["publish"] + Array(repeating: file, count: times))
    }

    @Test("One consumer ends exactly at the expected result")
    func once() async throws {
        let shop = try await shop()
        try await publish(shop)
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }

    @Test("Every line published twice in a row changes nothing")
    func everyLineTwice() async throws {
        let shop = try await shop()
        let lines = try String(contentsOfFile: RealOrders.path("checkouts-2000.ndjson"), encoding: .utf8)
            .split(separator: "\n")
        let file = try shop.folder.write(lines.map { "\($0)\n\($0)\n" }.joined(), to: "twice.ndjson")
        try await shop.succeed("publish", file)
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }

    @Test("The file published twice changes nothing")
    func fileTwice() async throws {
        let shop = try await shop()
        try await publish(shop, times: 2)
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }

    @Test("A consumer killed repeatedly at random moments changes nothing")
    func killedAgainAndAgain() async throws {
        let shop = try await shop()
        try await publish(shop)
        var generator = TestSeed.generator()
        for _ in 0..<6 {
            let before = try shop.count("orders")
            let consumer = try await shop.startConsumer()
            // At a random point within the next few hundred orders.
            let target = before + Int.random(in: 0...250, using: &generator)
            try await shop.waitForOrders(min(target, 2_000))
            _ = try await consumer.kill()
        }
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }

    @Test("Every key but the messages deleted in the middle changes nothing")
    func keysDeleted() async throws {
        let shop = try await shop()
        try await publish(shop)
        let consumer = try await shop.startConsumer()
        try await shop.waitForOrders(400)
        let keys = try await shop.redis.command("KEYS", "*").array?.compactMap(\.string) ?? []
        let others = keys.filter { $0 != shop.keys.checkouts }
        #expect(others.contains(shop.keys.stock))
        for key in others { _ = try await shop.redis.command("DEL", key) }
        try await shop.waitForOrders(2_000, within: .seconds(60))
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }

    @Test("A standby that takes over from one killed consumer after another changes nothing")
    func takeOver() async throws {
        let shop = try await shop()
        try await publish(shop)
        var active = try await shop.startConsumer()
        for round in 1...4 {
            let standby = try shop.start(["consume"])
            try await standby.waitForLine(containing: "standing by", within: .seconds(20))
            try await shop.waitForOrders(min(round * 350, 2_000), within: .seconds(60))
            _ = try await active.kill()
            try await standby.waitForLine(containing: "consuming store", within: .seconds(20))
            active = standby
        }
        try await shop.waitForOrders(2_000, within: .seconds(60))
        #expect(try await active.stop() == .exited(0))
        try await shop.consumeAll()
        try await RealOrders.expectResult(shop)
    }
}

extension RealOrdersTests {
    @Test("With the cancellations in between, one consumer ends exactly at their expected result")
    func messages() async throws {
        let shop = try await shop()
        try await shop.succeed("publish", RealOrders.path("messages-2000.ndjson"))
        try await shop.consumeAll()
        try await RealOrders.expectMessagesResult(shop)
    }

    @Test("With the cancellations in between, a consumer killed repeatedly changes nothing")
    func messagesKilled() async throws {
        let shop = try await shop()
        try await shop.succeed("publish", RealOrders.path("messages-2000.ndjson"))
        var generator = TestSeed.generator()
        for _ in 0..<3 {
            let before = try shop.count("cancellations")
            let consumer = try await shop.startConsumer()
            let target = min(before + Int.random(in: 0...60, using: &generator), 250)
            try await eventually(within: .seconds(60), "\(target) cancellations") {
                try shop.count("cancellations") >= target
            }
            _ = try await consumer.kill()
        }
        try await shop.consumeAll()
        try await RealOrders.expectMessagesResult(shop)
    }
}

/// The real orders' files and their expected results.
enum RealOrders {
    static let folder = ProcessInfo.processInfo.environment["STOCKTAKE_REAL_ORDERS"] ?? "../shared/data/online-retail"
    static var exists: Bool { FileManager.default.fileExists(atPath: path("checkouts-2000.ndjson")) }

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Checks the result of the orders with their cancellations.
    static func expectMessagesResult(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) async throws {
        let expected = try await expectResult(shop, "expected-messages-2000.json", location)
        #expect(
            try shop.value("SELECT sum(units) FROM cancellations") == "\(expected["units_restocked"] ?? "")",
            sourceLocation: location)
        #expect(
            try shop.query("SELECT reason, status FROM dead_letters GROUP BY 1, 2") == [["unknown_order", "open"]],
            sourceLocation: location)
    }

    /// Checks the result of the orders alone.
    static func expectResult(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) async throws {
        _ = try await expectResult(shop, "expected-checkouts-2000.json", location)
    }

    /// Checks the sold quantity of every product and variant, 0 for those the file does not name, and that the same
    /// orders were refused.
    /// - Returns: The parsed file.
    private static func expectResult(
        _ shop: Shop, _ file: String, _ location: SourceLocation
    ) async throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path(file)))
        let expected = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let refused = try #require(expected["refused"] as? [String])
        let sold = try #require(expected["sold"] as? [String: [String: Int]])
        #expect(
            try shop.query("SELECT id FROM orders WHERE status = 'refused' ORDER BY id").map(\.[0]) == refused.sorted(),
            sourceLocation: location)
        #expect(
            try shop.value("SELECT count(*) FROM orders WHERE status != 'refused'") == "\(expected["accepted"] ?? "")",
            sourceLocation: location)
        #expect(
            try shop.count("dead_letters") == (expected["dead_letters"] as? [String] ?? []).count,
            sourceLocation: location)
        for table in ["products", "variants"] {
            let rows = try shop.query("SELECT id, sold_quantity FROM \(table)")
            let named = try #require(sold[table])
            #expect(Set(named.keys).isSubset(of: rows.map(\.[0])), sourceLocation: location)
            let wrong = rows.filter { Int($0[1]) != named[$0[0], default: 0] }
            #expect(wrong.isEmpty, "sold quantities of \(table)", sourceLocation: location)
        }
        try await shop.expectConsistent(location)
        return expected
    }
}
