import Foundation
import TestSupport
import Testing

/// Outcomes as listed from the ledger, compared with those that were announced.
@Suite struct OutcomesTests {
    private typealias Order = SequentialModel.Order

    /// A page of `outcomes list`, each outcome with its texts and numbers as they are in the stream.
    private func page(
        _ shop: Shop, _ arguments: String...
    ) async throws -> (outcomes: [[String: String]], next: String) {
        let text = try await shop.succeed(arguments: ["outcomes", "list", "--json"] + arguments)
        let page = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let outcomes = try #require(page["outcomes"] as? [[String: Any]])
        return (
            outcomes.map { $0.mapValues { $0 is NSNull ? "" : "\($0)" } }, try #require(page["next"] as? String)
        )
    }

    @Test("outcomes list returns every announced outcome in order, from any position, even if the stream lost it")
    func list() async throws {
        let shop = try await Shop()
        try await shop.publish((0..<30).map { Order("o-\($0)", ("LAMP", nil, 1 + $0 % 3)).message })
        try await shop.consumeAll()
        try await shop.publish([
            SequentialModel.Cancellation("c-1", of: "o-0").message,
            SequentialModel.Cancellation("c-2", of: "none").message,
        ])
        try await shop.consumeAll()
        let announced = try await shop.outcomes()
        #expect(announced.count == 32)
        try await shop.redis.command("DEL", shop.keys.outcomes)

        let first = try await page(shop, "--limit", "20")
        #expect(first.outcomes.count == 20)
        let rest = try await page(shop, "--after", first.next)
        let found = first.outcomes + rest.outcomes
        #expect(found == announced)
        #expect(found.last?["position"] == rest.next.split(separator: ":").last.map(String.init))
        // Nothing new: the same position again.
        let none = try await page(shop, "--after", rest.next)
        #expect(none.outcomes.isEmpty && none.next == rest.next)
        try await shop.publish([Order("later", ("PANEL", nil, 1)).message])
        try await shop.consumeAll()
        #expect(try await page(shop, "--after", rest.next).outcomes.map { $0["order_id"] } == ["later"])
        let table = try await shop.succeed("outcomes", "list", "--after", rest.next)
        #expect(table.contains("accepted") && table.contains("later"), "\(table)")
        let wrong = try await shop.run(["outcomes", "list", "--after", "7"])
        #expect(wrong.status == 64 && wrong.errors.contains("EPOCH:POSITION"), "\(wrong.errors)")
    }
}
