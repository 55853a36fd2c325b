import Foundation
import Domain
import RedisClient
import StrictJSON
import TestSupport
import Testing

/// A Redis that is behind the ledger, and how each process reports whether it can do its work.
@Suite struct StaleCountersTests {
    private typealias Order = SequentialModel.Order

    /// A shop with nine sold, and a copy of the earlier counters under the key "old".
    private func sold() async throws -> Shop {
        let shop = try await Shop()
        try await shop.consumeAll()
        try await shop.redis.command("COPY", shop.keys.stock, "old")
        try await shop.publish((1...9).map { Order("o-\($0)", ("PANEL", nil, 1)).message })
        try await shop.consumeAll()
        return shop
    }

    private func counters(_ shop: Shop) async throws -> JSONValue? {
        let report = try JSONValue(parsing: try await shop.run(["doctor", "--json"]).output)
        guard case .array(let checks) = report["checks"] else { return nil }
        return checks.first { $0["check"] == "counters" }
    }

    @Test("Availability from a Redis behind the ledger is not served, and returns once a consumer runs")
    func behind() async throws {
        let shop = try await sold()
        let server = try await shop.startServing()
        try await server.waitForSold(9, of: "PANEL")
        #expect(try await server.get("/readyz").status == 200)
        try await shop.redis.command("COPY", "old", shop.keys.stock, "REPLACE")
        try await server.waitForStatus(503, of: "/v1/availability?product=PANEL")
        for target in ["/v1/products", "/v1/products/PANEL", "/v1/events?product=PANEL", "/readyz"] {
            let problem = try expectProblem(try await server.get(target), 503)
            #expect(problem["detail"]?.string?.contains("behind the ledger") == true, "\(target)")
        }
        #expect(try await server.office.get("/readyz").status == 503)
        let check = try #require(try await counters(shop))
        #expect(check["status"] == "bad" && check["detail"]?.string?.contains("behind the ledger") == true)
        let stock = try JSONValue(parsing: try await shop.succeed("stock", "PANEL", "--json"))
        #expect(stock["source"] == "ledger" && stock["products"]?[0]?["sold_quantity"] == 9)
        let consumer = try await shop.startConsumer()
        try await server.waitForSold(9, of: "PANEL")
        #expect(try await server.get("/readyz").status == 200)
        #expect(try await counters(shop)?["status"] == "ok")
        #expect(try await consumer.stop() == .exited(0))
    }

    @Test("Where the ledger's availability may be served, it is, and the process stays ready")
    func ledgerFallback() async throws {
        let shop = try await sold()
        let server = try await shop.startServing("--http-ledger-fallback", "yes")
        try await server.waitForSold(9, of: "PANEL")
        try await shop.redis.command("COPY", "old", shop.keys.stock, "REPLACE")
        let reply = try await server.get("/v1/availability?product=PANEL").json()
        #expect(reply["source"] == "ledger" && reply["products"]?[0]?["sold_quantity"] == 9)
        #expect(try await server.get("/readyz").status == 200)
        #expect(try await server.office.get("/readyz").status == 200)
        await shop.redis.kill()
        #expect(try await server.figures(of: "PANEL")["sold_quantity"] == 9)
        let ready = try await server.get("/readyz")
        #expect(ready.status == 200 && ready.text.contains("from ledger"), "\(ready.text)")
    }

    @Test("Syncing catalogues under traffic, each with its own epoch, never withholds availability")
    func syncUnderTraffic() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let isOver = Flag()
        let (asked, statuses) = try await withThrowingTaskGroup(of: (Int, Set<String>).self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var (asked, statuses) = (0, Set<String>())
                    while !isOver.isSet {
                        let reply = try await server.get("/v1/availability?product=PANEL")
                        let source = try reply.json()["source"]?.string ?? reply.text
                        statuses.insert("\(reply.status) \(source)")
                        asked += 1
                    }
                    return (asked, statuses)
                }
            }
            for round in 1...8 {
                try await shop.publish((0..<200).map { Order("o-\(round)-\($0)", ("PANEL", nil, 1)).message })
                let catalogue = Shop.catalogue.replacing(#""base_price": 5,"#, with: #""base_price": \#(5 + round),"#)
                try await shop.succeed("sync", try shop.folder.write(catalogue, to: "products-\(round).json"))
            }
            try await server.waitForSold(1_600, of: "PANEL", within: .seconds(60))
            isOver.set()
            return try await group.reduce(into: (0, Set<String>())) { $0 = ($0.0 + $1.0, $0.1.union($1.1)) }
        }
        #expect(asked > 100)
        #expect(statuses == ["200 redis"])
        let epochs = try shop.count("epochs")
        #expect(epochs > 5, "\(epochs) epochs")
        #expect(try await server.process.stop() == .exited(0))
    }

    @Test("In a process that sells and serves, one address reports whether it can serve, the other whether it decides")
    func twoAddresses() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer("--http-ledger-fallback", "yes")
        #expect(
            try await server.office.get("/readyz").json()["checks"]?.keys
                == ["backlog", "consumer", "counters", "ledger"])
        await shop.redis.kill()
        try await eventually("not deciding") { try await server.office.get("/readyz").status == 503 }
        #expect(try await server.get("/v1/availability?product=PANEL").json()["source"] == "ledger")
        #expect(try await server.get("/readyz").status == 200)
        try await shop.redis.restart()
        try await eventually("deciding") { try await server.office.get("/readyz").status == 200 }
    }

    @Test("A server that can read is unaffected by a ledger that cannot be written")
    func unwritableLedger() async throws {
        let shop = try await sold()
        let server = try await shop.startServing()
        let consumer = try await shop.startConsumer("--operator-port", "0")
        let office = try HTTPAddress(in: try await consumer.waitForLine(containing: "operator page on http://"))
        try await server.waitForSold(9, of: "PANEL")
        #expect(try await office.get("/readyz").status == 200)
        // The ledger is moved away, which works whatever rights the user has.
        try FileManager.default.moveItem(atPath: shop.ledger, toPath: shop.ledger + ".away")
        #expect(try await consumer.waitForEnding(within: .seconds(20)) == .exited(2))
        #expect(try await server.get("/readyz").status == 200)
        #expect(try await server.figures(of: "PANEL")["sold_quantity"] == 9)
    }
}
