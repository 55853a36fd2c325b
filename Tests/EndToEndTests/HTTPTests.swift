import Foundation
import RedisClient
import StrictJSON
import TestSupport
import Testing

/// What the real server returns to a storefront, over a real Redis: products, availability, caching.
@Suite struct HTTPTests {
    private func ids(_ reply: HTTPReply) throws -> [String] {
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.json()["products"]?.elements.compactMap { $0["id"]?.string } ?? []
    }

    // MARK: - Products

    @Test("Products are paged in the catalogue's order, and filters select among them")
    func pages() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let all = try await server.get("/v1/products")
        #expect(try ids(all) == ["CUBE", "OTHER", "LAMP", "PANEL"])
        #expect(try all.json()["next"] == .null)
        let first = try await server.get("/v1/products?limit=2")
        #expect(try ids(first) == ["CUBE", "OTHER"])
        #expect(try first.json()["next"] == "OTHER")
        let second = try await server.get("/v1/products?limit=2&after=OTHER")
        #expect(try ids(second) == ["LAMP", "PANEL"])
        // The last page has no next, which would lead to an empty page.
        #expect(try second.json()["next"] == .null)
        #expect(try ids(try await server.get("/v1/products?category=material")) == ["PANEL"])
        try await shop.sell("o-1", ("LAMP", nil, 7))
        try await server.waitForSold(7, of: "LAMP")
        #expect(try ids(try await server.get("/v1/products?available=false")) == ["LAMP"])
        #expect(try ids(try await server.get("/v1/products?available=true")) == ["CUBE", "OTHER", "PANEL"])
        let filtered = try await server.get("/v1/products?available=true&limit=2&after=OTHER&category=kit")
        #expect(try ids(filtered) == [])
        let page = try await server.get("/v1/products?available=true&limit=2")
        #expect(try page.json()["next"] == "OTHER")
        #expect(try ids(try await server.get("/v1/products?available=true&limit=2&after=OTHER")) == ["PANEL"])
    }

    @Test(
        "An invalid parameter is a 400 that names it",
        arguments: [
            ("/v1/products?limit=0", "limit"), ("/v1/products?limit=201", "limit"), ("/v1/products?limit=2.0", "limit"),
            ("/v1/products?limit=", "limit"), ("/v1/products?limit=99999999999999999999", "limit"),
            ("/v1/products?available=yes", "available"), ("/v1/products?available=", "available"),
            ("/v1/products?limit=1&limit=2", "limit"), ("/v1/availability", "product"),
            ("/v1/events", "product"), ("/v1/products?lmit=1", "lmit"), ("/v1/products/CUBE?x=1", "\"x\""),
            ("/v1/availability?product=%ZZ", ""), ("/v1/availability?product=%FF", ""),
            ("/v1/availability?" + (0...200).map { "product=P\($0)" }.joined(separator: "&"), "product"),
            ("/v1/events?" + (0...200).map { "product=P\($0)" }.joined(separator: "&"), "product"),
        ])
    func badParameters(target: String, named: String) async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let problem = try expectProblem(try await server.get(target), 400)
        #expect(problem["detail"]?.string?.contains(named) == true || named.isEmpty, "\(problem.text)")
    }

    private static let richCatalogue = """
        {"categories": ["kit"], "products": [
          {"id": "CUBE", "name": "Würfel", "description": "Short", "long_description": "Long", "category": "kit",
           "dev_status": 5, "base_price": 99500, "has_variants": true, "requires_assembly": true, "max_quantity": 10,
           "images": ["/a.jpg", "/b.jpg"], "specs": [{"label": "Edge", "value": "320 mm"}], "metadata": {"secret": 1},
           "stripe_product_id": "prod_1",
           "variants": [{"id": "BLACK", "name": "Black", "description": "Anodised", "max_quantity": 5,
                         "images": ["/c.jpg"], "specs": [{"label": "Finish", "value": "matt"}]},
                        {"id": "RED", "name": "Red"}]},
          {"id": "LAMP", "name": "Lamp", "category": "kit", "dev_status": 0, "base_price": 1, "has_variants": false}]}
        """

    @Test("A product has its texts and availability, and none of the shop's internal data")
    func product() async throws {
        let shop = try await Shop(catalogue: Self.richCatalogue)
        let server = try await shop.startServer()
        let reply = try await server.get("/v1/products/CUBE")
        #expect(reply.status == 200)
        #expect(reply["content-type"]?.hasPrefix("application/json") == true)
        let body = try reply.json()
        let wanted = try JSONValue(
            parsing:
                """
                {"id": "CUBE", "name": "Würfel", "description": "Short", "long_description": "Long", "category": "kit",
                 "dev_status": 5, "base_price": 99500, "requires_assembly": true, "images": ["/a.jpg", "/b.jpg"],
                 "specs": [{"label": "Edge", "value": "320 mm"}], "is_active": true, "max_quantity": 10,
                 "sold_quantity": 0, "available_quantity": 10, "is_available": true, "variants": [
                   {"id": "BLACK", "name": "Black", "description": "Anodised", "images": ["/c.jpg"],
                    "specs": [{"label": "Finish", "value": "matt"}], "is_active": true, "max_quantity": 5,
                    "sold_quantity": 0, "available_quantity": 5, "is_available": true},
                   {"id": "RED", "name": "Red", "description": null, "images": [], "specs": [], "is_active": true,
                    "max_quantity": null, "sold_quantity": 0, "available_quantity": 10, "is_available": true}]}
                """)
        #expect(body["product"]?.sortedText == wanted.sortedText)
        #expect(body.keys == ["as_of", "epoch", "product", "seq", "source"])
        #expect(body["source"] == "redis")
        #expect(body["epoch"] == 1)
        #expect(body["seq"] == 0)
        let asOf = try #require(body["as_of"]?.string)
        #expect(asOf.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(asOf)")
        let plain = try await server.get("/v1/products/LAMP").json()["product"]
        #expect(
            plain?.sortedText
                == (try JSONValue(
                    parsing:
                        """
                        {"id": "LAMP", "name": "Lamp", "description": null, "long_description": null, "category": "kit",
                         "dev_status": 0, "base_price": 1, "requires_assembly": false, "images": [], "specs": [],
                         "is_active": true, "max_quantity": null, "sold_quantity": 0, "available_quantity": null,
                         "is_available": true, "variants": []}
                        """)).sortedText)
        let listed = try await server.get("/v1/products").json()["products"]
        #expect(listed?[0]?.sortedText == wanted.sortedText)
    }

    @Test("An id of any characters is found, in a path and in a query")
    func strangeIds() async throws {
        let strange = [
            "A/B", "50%", "two words", "größe", "gro\u{308}ße", "a+b", "?x=1&y#z", "a%2Fb", "..", ".", "日本", "\"q\"",
            "a\\b", "//", ";", "products",
        ]
        let products = strange.enumerated().map { number, id in
            #"{"id": \#(JSONValue.string(id).text), "name": "n\#(number)", "category": "kit", "dev_status": 5, "base_price": 1, "has_variants": false, "max_quantity": \#(number + 1)}"#
        }
        let shop = try await Shop(
            catalogue: #"{"categories": ["kit"], "products": [\#(products.joined(separator: ", "))]}"#)
        let server = try await shop.startServer()
        for (number, id) in strange.enumerated() {
            // Percent-encoding leaves "." and ".." unchanged, and clients would resolve them as path segments.
            let path = id.allSatisfy { $0 == "." } ? id.replacing(".", with: "%2E") : id.percentEncoded
            let one = try await server.get("/v1/products/\(path)")
            #expect(one.status == 200, "\(id): \(one.text)")
            #expect(try one.json()["product"]?["id"] == .string(id))
            #expect(try one.json()["product"]?["max_quantity"]?.integer == Int64(number + 1), "\(id)")
            #expect(try await server.figures(of: id)["max_quantity"]?.integer == Int64(number + 1), "\(id)")
        }
        // A query is form-encoded: browsers write a space as a plus.
        #expect(try ids(try await server.get("/v1/availability?product=two+words")) == ["two words"])
        #expect(try ids(try await server.get("/v1/availability?product=a%2Bb")) == ["a+b"])
        let all = try await server.get(
            "/v1/availability?" + strange.map { "product=" + $0.percentEncoded }.joined(separator: "&"))
        #expect(try ids(all) == strange)
        // Page by page, following the cursors in the responses.
        var seen: [String] = []
        var after = ""
        repeat {
            let page = try await server.get(
                "/v1/products?limit=3" + (after.isEmpty ? "" : "&after=" + after.percentEncoded))
            seen += try ids(page)
            after = try page.json()["next"]?.string ?? ""
        } while !after.isEmpty
        #expect(seen == strange)
    }

    @Test("A 404 names every id that the catalogue does not have, and no other")
    func unknown() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let one = try expectProblem(try await server.get("/v1/products/NONE"), 404)
        #expect(one["unknown"]?.sortedText == #"["NONE"]"#)
        for path in ["availability", "events"] {
            let some = try expectProblem(
                try await server.get("/v1/\(path)?product=B%2FB&product=CUBE&product=A&product=BLACK"), 404)
            #expect(some["unknown"]?.sortedText == #"["B\/B","A","BLACK"]"#.replacing("\\/", with: "/"), "\(path)")
        }
        // So does a 404 for an unknown cursor.
        let cursor = try expectProblem(try await server.get("/v1/products?after=NONE"), 404)
        #expect(cursor["unknown"]?.sortedText == #"["NONE"]"#)
        // An invalid path is a 404, too, and is not taken for an id.
        for target in [
            "/v1", "/v1/", "/v1/product", "/v2/products", "/nothing", "/v1/products/CUBE/BLACK", "/operator",
        ] {
            let problem = try expectProblem(try await server.get(target), 404)
            #expect(problem["unknown"] == nil, "\(target)")
        }
    }

    // MARK: - Effective availability

    @Test("A variant never has more left than its product; a product whose variants are sold out is unavailable")
    func effective() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("CUBE", "BLACK", 5), ("CUBE", "RED", 4), ("OTHER", "GREEN", 2))
        try await server.waitForSold(9, of: "CUBE")
        let cube = try await server.figures(of: "CUBE")
        #expect(
            cube.sortedText
                == (try JSONValue(
                    parsing:
                        """
                        {"id": "CUBE", "is_active": true, "max_quantity": 10, "sold_quantity": 9, "available_quantity": 1,
                         "is_available": true, "variants": [
                           {"id": "BLACK", "is_active": true, "max_quantity": 5, "sold_quantity": 5,
                            "available_quantity": 0, "is_available": false},
                           {"id": "WHITE", "is_active": true, "max_quantity": 4, "sold_quantity": 0,
                            "available_quantity": 1, "is_available": true},
                           {"id": "RED", "is_active": true, "max_quantity": null, "sold_quantity": 4,
                            "available_quantity": 1, "is_available": true}]}
                        """)).sortedText)
        // Its own cap would leave any number.
        let other = try await server.figures(of: "OTHER")
        #expect(other["max_quantity"] == .null)
        #expect(other["is_available"] == false)
        #expect(other["variants"]?[0]?["available_quantity"] == 0)
        try await shop.sell("o-2", ("CUBE", "WHITE", 1))
        try await server.waitForSold(10, of: "CUBE")
        let full = try await server.figures(of: "CUBE")
        #expect(full["available_quantity"] == 0)
        #expect(full["is_available"] == false)
        #expect(
            full["variants"]?.elements.allSatisfy { $0["is_available"] == false && $0["available_quantity"] == 0 }
                == true)
        // All from one snapshot, in the order requested, each as often as it was requested.
        let several = try await server.get("/v1/availability?product=PANEL&product=CUBE&product=LAMP")
        #expect(try ids(several) == ["PANEL", "CUBE", "LAMP"])
        #expect(try several.json()["seq"]?.integer == 2)
    }

    @Test("A new catalogue takes effect by itself: caps, products, and closings")
    func newCatalogue() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("LAMP", nil, 1))
        try await server.waitForSold(1, of: "LAMP")
        let changed = try shop.folder.write(
            Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 3"#)
                .replacing(#""id": "PANEL", "name": "Panel""#, with: #""id": "SHEET", "name": "Sheet""#)
                .replacing(#""id": "RED", "name": "Red""#, with: #""id": "BLUE", "name": "Blue""#), to: "changed.json")
        try await shop.succeed("sync", changed)
        try await eventually(within: .seconds(20), "the new catalogue") {
            try await server.get("/v1/products/SHEET").status == 200
        }
        try await eventually(within: .seconds(20), "the new cap") {
            try await server.figures(of: "LAMP")["max_quantity"] == 3
        }
        #expect(try await server.figures(of: "LAMP")["available_quantity"] == 2)
        // Closed: missing from the list, but returned as closed when requested by its id.
        let list = try await server.get("/v1/products")
        #expect(try ids(list) == ["CUBE", "OTHER", "LAMP", "SHEET"])
        let variants = try list.json()["products"]?[0]?["variants"]?.elements ?? []
        #expect(variants.compactMap { $0["id"]?.string } == ["BLACK", "WHITE", "BLUE", "RED"])
        #expect(variants.map { $0["is_active"] == true } == [true, true, true, false])
        let closed = try await server.get("/v1/products/PANEL").json()["product"]
        #expect(closed?["is_active"] == false)
        #expect(closed?["is_available"] == false)
        let figures = try await server.figures(of: "PANEL")
        #expect(figures["is_active"] == false)
        #expect(figures["is_available"] == false)
    }

    // MARK: - Caching

    @Test("An ETag stays while the availability does, yields a 304, and changes with it")
    func entityTags() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let target = "/v1/availability?product=LAMP"
        let first = try await server.get(target)
        let tag = try #require(first["etag"])
        #expect(tag.wholeMatch(of: /W\/"[^"]+"/) != nil, "\(tag)")
        #expect(first["cache-control"] == "no-cache")
        // Another product is sold: seq and as_of change, this availability does not.
        try await shop.sell("o-1", ("PANEL", nil, 1))
        try await server.waitForSold(1, of: "PANEL")
        let second = try await server.get(target)
        #expect(second["etag"] == tag)
        #expect(try second.json()["seq"] == 1)
        for match in [tag, "\"x\", \(tag)", String(tag.dropFirst(2)), "*"] {
            let unchanged = try await server.get(target, ["If-None-Match": match])
            #expect(unchanged.status == 304, "\(match)")
            #expect(unchanged.body.isEmpty)
            #expect(unchanged["etag"] == tag)
            #expect(unchanged["cache-control"] == "no-cache")
        }
        #expect(try await server.get(target, ["If-None-Match": "\"x\""]).status == 200)
        try await shop.sell("o-2", ("LAMP", nil, 1))
        try await server.waitForSold(1, of: "LAMP")
        let third = try await server.get(target, ["If-None-Match": tag])
        #expect(third.status == 200)
        #expect(third["etag"] != tag)
        for path in ["/v1/products", "/v1/products/LAMP", "/v1/products?limit=1"] {
            let reply = try await server.get(path)
            let tag = try #require(reply["etag"], "\(path)")
            #expect(try await server.get(path, ["If-None-Match": tag]).status == 304, "\(path)")
        }
    }

    @Test("HEAD returns what GET does, without the body")
    func head() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        for path in [
            "/v1/products", "/v1/products/CUBE", "/v1/availability?product=LAMP", "/openapi.yaml", "/healthz",
            "/readyz", "/",
        ] {
            let get = try await server.get(path)
            let connection = try await HTTPConnection.connect(to: server.shop)
            connection.send("HEAD", path)
            let head = try await connection.reply(toHEAD: true)
            #expect(head.status == 200, "\(path)")
            #expect(head["content-type"] == get["content-type"], "\(path)")
            #expect(head["etag"] == get["etag"], "\(path)")
            // Anything sent after the head would be read as the next response.
            connection.send("GET", "/healthz")
            #expect(try await connection.reply().json()["status"] == "ok", "\(path)")
        }
        for target in ["/v1/products/NONE", "/v1/events?product=NONE"] {
            #expect(try await server.shop.request("HEAD", target).status == 404, "\(target)")
        }
    }

    // MARK: - Redis unavailable

    @Test("Without Redis the server responds 503 with a Retry-After, and recovers by itself")
    func redisAway() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("LAMP", nil, 2))
        try await server.waitForSold(2, of: "LAMP")
        await shop.redis.kill()
        try await server.waitForStatus(503, of: "/v1/availability?product=LAMP")
        try await server.waitForStatus(503, of: "/readyz")
        for target in ["/v1/products", "/v1/products/LAMP", "/v1/availability?product=LAMP", "/readyz"] {
            let reply = try await server.get(target)
            try expectProblem(reply, 503)
            #expect(reply["retry-after"] == "1", "\(target)")
            #expect(reply["etag"] == nil)
        }
        let cart = try await server.validate(#"{"product_id": "LAMP", "quantity": 1}"#)
        try expectProblem(cart, 503)
        #expect(cart["retry-after"] == "1")
        let notReady = try await server.get("/readyz").json()
        #expect(notReady["checks"]?.keys == ["figures"], "\(notReady.text)")
        #expect(notReady["detail"]?.string?.contains("counters") == true, "\(notReady.text)")
        #expect(try await server.get("/healthz").status == 200)
        try await shop.redis.restart()
        try await server.waitForStatus(200, of: "/readyz")
        try await server.waitForSold(2, of: "LAMP")
        #expect(try await server.process.stop() == .exited(0))
    }

    @Test("The server does not wait for a Redis that hangs")
    func redisHangs() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        shop.redis.signal(SIGSTOP)
        let began = ContinuousClock.now
        let reply = try await server.waitForStatus(503, of: "/v1/availability?product=LAMP")
        try expectProblem(reply, 503)
        // Each request is answered within seconds; a browser would not wait longer.
        #expect(ContinuousClock.now - began < .seconds(15))
        shop.redis.signal(SIGCONT)
        try await server.waitForStatus(200, of: "/v1/availability?product=LAMP")
    }

    @Test("With http_ledger_fallback the ledger serves while Redis is unavailable, and the response says so")
    func ledgerFallback() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer("--http-ledger-fallback", "yes")
        try await shop.sell("o-1", ("CUBE", "BLACK", 5), ("LAMP", nil, 2))
        try await server.waitForSold(2, of: "LAMP")
        #expect(try await server.get("/v1/products").json()["source"] == "redis")
        let before = try await server.figures(of: "CUBE")
        await shop.redis.kill()
        try await eventually(within: .seconds(20), "the ledger's answer") {
            let reply = try await server.get("/v1/availability?product=CUBE")
            guard reply.status == 200 else { return false }
            return try reply.json()["source"] == "ledger"
        }
        #expect(try await server.figures(of: "CUBE").sortedText == before.sortedText)
        #expect(try await server.get("/v1/availability?product=CUBE").json()["seq"] == 1)
        let cart = try await server.validate(#"{"product_id": "CUBE", "variant_id": "BLACK", "quantity": 1}"#).json()
        #expect(cart["source"] == "ledger")
        #expect(cart["items"]?[0]?["reasons"]?.text == #"["sold_out"]"#)
        try await shop.redis.restart()
        try await eventually(within: .seconds(20), "the counters' answer") {
            try await server.get("/v1/availability?product=CUBE").json()["source"] == "redis"
        }
        #expect(try await server.figures(of: "CUBE").sortedText == before.sortedText)
    }

    @Test("serve alone serves nothing until a consumer has installed the counters, then follows it")
    func serveAlone() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let early = try await server.get("/v1/products")
        try expectProblem(early, 503)
        #expect(early["retry-after"] == "1")
        try expectProblem(try await server.waitForStatus(503, of: "/readyz"), 503)
        try await shop.publish([SequentialModel.Order("o-1", ("LAMP", nil, 3)).message])
        try await shop.consumeAll()
        try await server.waitForSold(3, of: "LAMP")
        #expect(try await server.get("/v1/products").status == 200)
    }

    // MARK: - Static files

    @Test("The page, badge and API description are served unchanged, each with its type")
    func files() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let files = [
            ("/", "index.html", "text/html; charset=utf-8"), ("/page.css", "page.css", "text/css; charset=utf-8"),
            ("/page.js", "page.js", "text/javascript; charset=utf-8"),
            ("/badge.js", "badge.js", "text/javascript; charset=utf-8"),
            ("/openapi.yaml", "openapi.yaml", "application/yaml"),
        ]
        for (path, file, type) in files {
            let reply = try await server.get(path)
            #expect(reply.status == 200, "\(path)")
            #expect(reply["content-type"] == type, "\(path)")
            #expect(reply["x-content-type-options"] == "nosniff", "\(path)")
            let source = try Data(contentsOf: URL(fileURLWithPath: "Sources/WebAssets/\(file)"))
            #expect(reply.body == Array(source), "\(path)")
        }
    }
}
