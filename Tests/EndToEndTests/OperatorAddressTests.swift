import Foundation
import StrictJSON
import TestSupport
import Testing

/// The operator's address: who may access it, and what it shows.
@Suite struct OperatorAddressTests {
    private static let paths = ["/operator", "/operator.css", "/operator.js", "/operator/status", "/metrics"]

    @Test("The operator's endpoints are on the operator's address only")
    func apart() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        for path in Self.paths {
            try expectProblem(try await server.get(path), 404)
            #expect(try await server.office.get(path).status == 200, "\(path)")
        }
        for path in ["/v1/products", "/v1/availability?product=LAMP", "/page.js"] {
            try expectProblem(try await server.office.get(path), 404)
        }
        for path in ["/healthz", "/readyz"] {
            #expect(try await server.office.get(path).status == 200)
            #expect(try await server.get(path).status == 200)
        }
        let files = [
            ("/operator", "operator.html", "text/html; charset=utf-8"),
            ("/operator.css", "operator.css", "text/css; charset=utf-8"),
            ("/operator.js", "operator.js", "text/javascript; charset=utf-8"),
        ]
        for (path, file, type) in files {
            let reply = try await server.office.get(path)
            #expect(reply["content-type"] == type)
            #expect(
                reply.body == Array(try Data(contentsOf: URL(fileURLWithPath: "Sources/WebAssets/\(file)"))), "\(path)")
        }
        try expectProblem(try await server.office.request("POST", "/operator/status"), 405)
    }

    @Test("With a token every path except the probes requires it, as a bearer token or as a password")
    func token() async throws {
        let shop = try await Shop()
        let token = "s3cret:with:colons"
        let server = try await shop.startServer(environment: ["STOCKTAKE_OPERATOR_TOKEN": token])
        func basic(_ user: String, _ password: String) -> String {
            "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        }
        let wrong = [
            nil, "", "Bearer", "Bearer ", "Bearer \(token)x", "Bearer \(token.dropLast())",
            "Bearer \(token.uppercased())",
            token, "Basic \(token)", basic("", ""), basic(token, ""), basic("any", token + "x"), "Basic ====",
            "Digest x",
        ]
        for path in Self.paths + ["/nothing", "/v1/products"] {
            for authorization in path == "/metrics" ? wrong : Array(wrong.prefix(4)) {
                let reply =
                    if let authorization {
                        try await server.office.get(path, ["Authorization": authorization])
                    } else {
                        try await server.office.get(path)
                    }
                try expectProblem(reply, 401)
                #expect(reply["www-authenticate"]?.hasPrefix(#"Basic realm="stocktake operator""#) == true)
            }
        }
        for path in Self.paths {
            for right in ["Bearer \(token)", "bearer \(token)", basic("", token), basic("operator", token)] {
                #expect(try await server.office.get(path, ["Authorization": right]).status == 200, "\(path) \(right)")
            }
        }
        for path in ["/healthz", "/readyz"] { #expect(try await server.office.get(path).status == 200) }
        // The token protects the operator's address, has no effect on the public one, and is never shown.
        #expect(try await server.get("/v1/products").status == 200)
        let status = try await server.office.get("/operator/status", ["Authorization": "Bearer \(token)"])
        #expect(!status.text.contains(token))
        #expect(!server.process.standardError.contains(token))
        #expect(!server.process.standardOutput.contains(token))
    }

    @Test("Without a token the operator's address is bound to a loopback address or not at all")
    func loopback() async throws {
        let shop = try await Shop()
        for host in ["0.0.0.0", "::"] {
            let refused = try await shop.run(["serve", "--operator-host", host], within: .seconds(20))
            #expect(refused.status == 64, "\(refused.errors)")
            #expect(refused.errors.contains("operator_token") || refused.errors.contains("--operator-token"))
            #expect(refused.output.isEmpty)
        }
        let server = try await Server(
            try shop.start(
                ["serve", "--operator-host", "0.0.0.0"], environment: ["STOCKTAKE_OPERATOR_TOKEN": "a-token"]), of: shop
        )
        let office = HTTPAddress(host: "127.0.0.1", port: try await server.office.port)
        #expect(try await office.get("/metrics").status == 401)
        #expect(try await office.get("/metrics", ["Authorization": "Bearer a-token"]).status == 200)
    }

    @Test("The status describes the store's health, and the metrics count events")
    func status() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("LAMP", nil, 5))
        try await shop.sell("o-2", ("LAMP", nil, 5))
        try await shop.publish([#"{"type": "checkout.completed", "payload": {"order_id": "o-3"}}"#])
        try await shop.waitForOrders(2)
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
        _ = try await events.next("availability")
        var status = JSONValue.null
        try await eventually(within: .seconds(20), "all of it in the status") {
            status = try await server.office.get("/operator/status").json()
            return status["dead_letters"] == 1 && status["outcomes"]?.elements.count == 3 && status["subscribers"] == 1
                && status["pending"] == 0
        }
        #expect(
            status.keys == [
                "as_of", "backlog", "consumer", "dead_letters", "drift", "epoch", "ledger", "oldest_pending_s",
                "orders",
                "outcomes", "pending", "recorded", "redis", "refunds_due", "replays_wanted", "seq", "settled", "store",
                "subscribers", "unannounced", "version",
            ])
        #expect(status["store"] == "main")
        #expect(status["epoch"] == 1)
        #expect(status["seq"] == 1)
        #expect(status["settled"] == 1)
        #expect(status["orders"] == 2)
        // The refused order, and the dead letter without items.
        #expect(
            status["refunds_due"]?.text
                == #"{"count":2,"unknown_amounts":1,"currencies":[{"currency":null,"count":2,"amount":500}]}"#)
        #expect(status["backlog"] == 0)
        #expect(status["redis"]?["ok"] == true)
        #expect(status["ledger"]?["ok"] == true)
        #expect(status["ledger"]?["path"]?.string == shop.ledger)
        #expect(status["consumer"]?["active"] == true)
        #expect(status["consumer"]?["process"]?.integer == Int64(server.process.processID))
        let outcomes = status["outcomes"]?.elements ?? []
        #expect(Set(outcomes.compactMap { $0["outcome"]?.string }) == ["accepted", "refused", "dead_letter"])
        #expect(outcomes.first { $0["order_id"] == "o-1" }?["units"] == 5)
        #expect(outcomes.first { $0["order_id"] == "o-2" }?["reason"] == "insufficient")

        let metrics = try await server.office.get("/metrics")
        #expect(metrics.mediaType == "text/plain")
        #expect(metrics["content-type"]?.contains("version=0.0.4") == true)
        #expect(metrics.text.contains("stocktake_"))
        #expect(!metrics.text.contains("o-1"))
        #expect(metrics.text.contains("\nstocktake_refunds_due 2\n"))
        #expect(metrics.text.contains("\nstocktake_refunds_due_of_unknown_amount 1\n"))
        #expect(metrics.text.contains("\nstocktake_refunds_due_minor_units{currency=\"other\"} 500\n"))
    }

    @Test("Without Redis the status says so, and shows what it still knows")
    func redisAway() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("LAMP", nil, 5))
        try await shop.waitForOrders(1)
        await shop.redis.kill()
        try await eventually(within: .seconds(20), "a status without Redis") {
            try await server.office.get("/operator/status").json()["redis"]?["ok"] == false
        }
        let status = try await server.office.get("/operator/status").json()
        #expect(status["redis"]?["detail"]?.string?.isEmpty == false)
        #expect(status["backlog"] == .null)
        #expect(status["pending"] == .null)
        #expect(status["orders"] == 1)
        #expect(status["ledger"]?["ok"] == true)
        #expect(try await server.office.get("/metrics").status == 200)
        try await server.waitForStatus(503, of: "/readyz")
        // The server checks the store at most once per second.
        try await eventually("not ready") { try await server.office.get("/readyz").status == 503 }
        let ready = try expectProblem(try await server.office.get("/readyz"), 503)
        #expect(ready["checks"]?.keys.contains("counters") == true)
    }

    @Test("consume opens the operator's address only when configured to")
    func consume() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--operator-port", "0")
        let line = try await consumer.waitForLine(containing: "operator page on http://")
        #expect(try await HTTPAddress(in: line).get("/operator/status").json()["consumer"]?["active"] == true)
        #expect(!consumer.standardOutput.contains("listening on http://"))
        #expect(try await consumer.stop() == .exited(0))
    }
}
