import Foundation
import TestSupport
import Testing

/// Methods, origins, ports, and clients that misbehave.
@Suite struct HTTPLimitTests {
    // MARK: - Methods

    @Test("A method that a path does not support is a 405 that lists the supported ones")
    func methods() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let reading = [
            "/v1/products", "/v1/products/CUBE", "/v1/availability?product=LAMP", "/v1/events?product=LAMP", "/",
            "/openapi.yaml",
            "/healthz", "/readyz",
        ]
        for path in reading {
            for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE"] {
                let reply = try await server.shop.request(method, path)
                try expectProblem(reply, 405)
                #expect(reply["allow"] == "GET, HEAD, OPTIONS", "\(method) \(path)")
            }
        }
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let reply = try await server.shop.request(method, "/v1/cart/validate")
            #expect(reply.status == 405)
            #expect(reply["allow"] == "POST, OPTIONS", "\(method)")
        }
    }

    // MARK: - Cross-origin requests

    @Test("Without http_allow_origin no other origin is allowed")
    func sameOrigin() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let reply = try await server.get("/v1/products", ["Origin": "https://shop.example"])
        #expect(reply.status == 200)
        #expect(reply["access-control-allow-origin"] == nil)
        let preflight = try await server.shop.request(
            "OPTIONS", "/v1/cart/validate",
            ["Origin": "https://shop.example", "Access-Control-Request-Method": "POST"])
        #expect(preflight["access-control-allow-origin"] == nil)
    }

    @Test("With http_allow_origin those origins may read, post carts and subscribe, and no other")
    func otherOrigins() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer(
            "--http-allow-origin", "https://shop.example,https://other.example")
        for (origin, allowed) in [
            ("https://shop.example", true), ("https://other.example", true), ("https://evil.example", false),
            ("https://shop.example.evil.example", false), ("null", false),
        ] {
            let wanted = allowed ? origin : nil
            let reply = try await server.get("/v1/products", ["Origin": origin])
            #expect(reply.status == 200)
            #expect(reply["access-control-allow-origin"] == wanted, "\(origin)")
            // Otherwise a cache in between would serve one origin's response to another.
            #expect(reply["vary"]?.lowercased().contains("origin") == true, "\(origin)")
            let preflight = try await server.shop.request(
                "OPTIONS", "/v1/cart/validate",
                [
                    "Origin": origin, "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type",
                ])
            #expect(preflight["access-control-allow-origin"] == wanted, "\(origin)")
            if allowed {
                #expect(preflight.status == 204 || preflight.status == 200)
                #expect(preflight["access-control-allow-methods"]?.contains("POST") == true)
                #expect(preflight["access-control-allow-headers"]?.lowercased().contains("content-type") == true)
            }
            let cart = try await server.shop.request(
                "POST", "/v1/cart/validate", ["Content-Type": "application/json", "Origin": origin],
                body: #"{"items": [{"product_id": "LAMP", "quantity": 1}]}"#)
            #expect(cart["access-control-allow-origin"] == wanted, "\(origin)")
            let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP", ["Origin": origin])
            #expect(try await events.head()["access-control-allow-origin"] == wanted, "\(origin)")
            // Errors carry it too: otherwise a page could not read the reason.
            let unknown = try await server.get("/v1/products/NONE", ["Origin": origin])
            #expect(unknown.status == 404)
            #expect(unknown["access-control-allow-origin"] == wanted, "\(origin)")
            // Scripts can only use an ETag that is exposed to them.
            if allowed {
                #expect(reply["access-control-expose-headers"]?.lowercased().contains("etag") == true)
            }
        }
    }

    @Test("With http_allow_origin * every origin may read; the operator's address stays closed to all")
    func anyOrigin() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer("--http-allow-origin", "*")
        let reply = try await server.get("/v1/products", ["Origin": "https://any.example"])
        #expect(reply["access-control-allow-origin"] == "*")
        let status = try await server.office.get("/operator/status", ["Origin": "https://any.example"])
        #expect(status["access-control-allow-origin"] == nil)
    }

    // MARK: - Ports and shutdown

    @Test("SIGTERM ends the process soon although clients do not read the responses they requested")
    func terminatesBesideTheDeaf() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let deaf = try await HTTPConnection.connect(to: server.shop, reads: false)
        for _ in 0..<400 { deaf.send("GET", "/openapi.yaml") }
        let deafReader = try await HTTPConnection.connect(to: server.shop, reads: false)
        for _ in 0..<40_000 { deafReader.send("GET", "/v1/availability?product=CUBE") }
        // When this response arrives, the connections above have filled the socket buffers.
        let hearing = try await HTTPConnection.connect(to: server.shop)
        hearing.send("GET", "/healthz")
        #expect(try await hearing.reply().status == 200)
        server.process.signal(SIGTERM)
        #expect(try await server.process.waitForEnding(within: .seconds(15)) == .exited(0))
        withExtendedLifetime(deaf) {}
    }

    @Test("A host that cannot be bound ends the process with 2, and the message names it")
    func unknownHost() async throws {
        let shop = try await Shop()
        for host in ["nosuchhost.invalid", "192.0.2.1"] {
            let ended = try await shop.run(["serve", "--http-host", host], within: .seconds(30))
            #expect(ended.status == 2, "\(ended.errors)")
            #expect(ended.errors.contains("listening failed: on \(host)"), "\(ended.errors)")
        }
    }

    @Test("A port in use ends the process with 2 and is named", arguments: ["serve", "run"])
    func portInUse(subcommand: String) async throws {
        let shop = try await Shop()
        let first = try await shop.startServing()
        for (flag, port) in [("--http-port", first.shop.port), ("--operator-port", try await first.office.port)] {
            let second = try await shop.run([subcommand, flag, "\(port)"], within: .seconds(20))
            #expect(second.status == 2, "\(second.output)\(second.errors)")
            #expect(second.errors.contains("\(port)"), "\(second.errors)")
            #expect(second.errors.contains("in use"), "\(second.errors)")
            #expect(second.errors.contains(flag), "\(second.errors)")
        }
        #expect(try await first.get("/healthz").status == 200)
    }

    @Test("SIGTERM ends the process at once although subscribers are connected", arguments: ["run", "serve"])
    func terminates(subcommand: String) async throws {
        let shop = try await Shop()
        let consumer = subcommand == "serve" ? try await shop.startConsumer() : nil
        let server = try await Server(try shop.start([subcommand]), of: shop)
        try await server.waitForStatus(200)
        var subscribers: [EventStream] = []
        for _ in 0..<20 {
            let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
            _ = try await events.next("availability")
            subscribers.append(events)
        }
        // Also a client that sends half a request, and one that sends nothing.
        let half = try await HTTPConnection.connect(to: server.shop)
        half.send("GET /v1/products HTTP/1.1\r\nHost: x\r\n")
        let idle = try await HTTPConnection.connect(to: server.shop)
        idle.send("GET", "/healthz")
        #expect(try await idle.reply().status == 200)
        server.process.signal(SIGTERM)
        #expect(try await server.process.waitForEnding(within: .seconds(5)) == .exited(0))
        for connection in subscribers.map(\.connection) + [half, idle] {
            try await eventually("the connection's end") { connection.isClosed }
        }
        withExtendedLifetime(consumer) {}
    }

    // MARK: - Clients that misbehave

    @Test("A head that is too large is refused, and nothing after it is taken for a request")
    func largeHead() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let connection = try await HTTPConnection.connect(to: server.shop)
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n")
        for number in 0..<2_000 { connection.send("X-Header-\(number): \(String(repeating: "x", count: 100))\r\n") }
        connection.send("\r\n")
        // It may send 431 or 400, or nothing; it must neither read without limit nor serve the request.
        let reply = try? await connection.reply()
        #expect(reply == nil || reply?.status == 431 || reply?.status == 400, "\(String(describing: reply))")
        try await eventually("the connection's end") { connection.isClosed }
        #expect(try await server.get("/healthz").status == 200)
    }

    @Test("A target that is too long, and bytes that are not HTTP, are refused")
    func nonsense() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let requests = [
            "GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: x\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
            "GET /healthz\r\n\r\n", "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
            "POST /v1/cart/validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        ]
        for request in requests {
            let connection = try await HTTPConnection.connect(to: server.shop)
            connection.send(request)
            let reply = try? await connection.reply(within: .seconds(5))
            #expect(
                reply == nil || (400..<500).contains(reply?.status ?? 0),
                "\(request.prefix(60)): \(String(describing: reply))")
            try await eventually("the end of a connection that began with \(request.prefix(60))") {
                connection.isClosed
            }
        }
        #expect(try await server.get("/healthz").status == 200)
    }

    @Test("A request that does not complete times out, and so does a silent connection")
    func slowness() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let slowHead = try await HTTPConnection.connect(to: server.shop)
        slowHead.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        let slowBody = try await HTTPConnection.connect(to: server.shop)
        slowBody.send(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json", "Content-Length": "1000"], body: "{")
        let silent = try await HTTPConnection.connect(to: server.shop)
        let idle = try await HTTPConnection.connect(to: server.shop)
        idle.send("GET", "/healthz")
        #expect(try await idle.reply().status == 200)
        // A byte now and then does not keep a request alive.
        let dripping = try await HTTPConnection.connect(to: server.shop)
        dripping.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Drip: ")
        // Neither does a request of a client that does not read.
        let deaf = try await HTTPConnection.connect(to: server.shop, reads: false)
        for _ in 0..<400 { deaf.send("GET", "/openapi.yaml") }
        let deafReader = try await HTTPConnection.connect(to: server.shop, reads: false)
        for _ in 0..<40_000 { deafReader.send("GET", "/v1/availability?product=CUBE") }
        try await eventually(within: .seconds(120), "the end of slow connections") {
            for connection in [dripping, deaf, deafReader] where !connection.isClosed { connection.send("x") }
            return [slowHead, slowBody, silent, idle, dripping, deaf, deafReader].allSatisfy(\.isClosed)
        }
        #expect(try await server.get("/healthz").status == 200)
    }

    @Test("An unwanted body is not read to an end that may never come")
    func unwantedBodies() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let requests: [(method: String, target: String, status: Int)] = [
            ("GET", "/healthz", 200), ("POST", "/v1/products", 405), ("POST", "/nowhere", 404),
            ("POST", "/v1/cart/validate", 415), ("GET", "/v1/products/CUBE", 200), ("GET", "/v1/products/NONE", 404),
            ("PUT", "/v1/availability?product=CUBE", 405),
        ]
        for (method, target, status) in requests {
            let connection = try await HTTPConnection.connect(to: server.shop)
            connection.send(method, target, ["Transfer-Encoding": "chunked"])
            connection.send("5\r\nhello\r\n")
            let reply = try await connection.reply()
            #expect(reply.status == status, "\(target)")
            #expect(reply["connection"] == "close")
            connection.send("5\r\nworld\r\n0\r\n\r\n")
            connection.send("GET", "/v1/products/CUBE")
            try await eventually("the end of a connection with an unwanted body") { connection.isClosed }
            #expect(connection.receivedBytes == 0, "\(target)")
        }
        // Found to be malformed after the response was sent: still only one response is sent.
        let wrong = try await HTTPConnection.connect(to: server.shop)
        wrong.send("GET", "/healthz", ["Transfer-Encoding": "chunked"])
        #expect(try await wrong.reply().status == 200)
        wrong.send("ZZ\r\n")
        try await eventually("the connection's end") { wrong.isClosed }
        #expect(wrong.receivedBytes == 0)
    }

    @Test("An upgrade request to another protocol is answered, and is the last on its connection")
    func upgrade() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        for (method, target, status) in [
            ("GET", "/v1/products/CUBE", 200), ("GET", "/healthz", 200), ("GET", "/operator/status", 404),
            ("CONNECT", "shop.example:443", 404),
        ] {
            let connection = try await HTTPConnection.connect(to: server.shop)
            connection.send(
                method, target,
                ["Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQ"])
            // More than is ever buffered of input that is not read.
            connection.send(String(repeating: "GET /healthz HTTP/1.1\r\n\r\n", count: 100_000))
            let reply = try await connection.reply()
            #expect(reply.status == status, "\(method) \(target)")
            #expect(reply["connection"] == "close")
            try await eventually("the connection's end") { connection.isClosed }
            #expect(connection.receivedBytes == 0)
        }
        let events = try await EventStream.open(
            server.shop, "/v1/events?product=LAMP", ["Connection": "Upgrade", "Upgrade": "websocket"])
        _ = try await events.next("availability")
        events.connection.send(String(repeating: "x", count: 1 << 20))
        try await shop.sell("o-1", ("LAMP", nil, 1))
        #expect(try await events.next("availability").json()["products"]?[0]?["sold_quantity"] == 1)
    }

    @Test("Pipelined requests are answered in order, whether by the fast path or by the router")
    func pipelined() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let connection = try await HTTPConnection.connect(to: server.shop)
        let targets = [
            "/v1/products/CUBE", "/v1/products/NONE", "/v1/availability?product=LAMP", "/v1/products?limit=1",
            "/v1/products/LAMP", "/v1/products/CUBE?x=1", "/v1/products/CUBE",
        ]
        for target in targets { connection.send("GET", target) }
        #expect(try await connection.reply().json()["product"]?["id"] == "CUBE")
        try expectProblem(try await connection.reply(), 404)
        #expect(try await connection.reply().json()["products"]?[0]?["id"] == "LAMP")
        #expect(try await connection.reply().json()["next"] == "CUBE")
        #expect(try await connection.reply().json()["product"]?["id"] == "LAMP")
        try expectProblem(try await connection.reply(), 400)
        let last = try await connection.reply()
        #expect(try last.json()["product"]?["id"] == "CUBE")
        #expect(last["date"]?.hasSuffix(" GMT") == true)
        #expect(last["x-content-type-options"] == "nosniff")
    }

    @Test("As many rejected requests as fit into one packet are answered in order, and so are later ones")
    func pipelinedRefusals() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let connection = try await HTTPConnection.connect(to: server.shop)
        let count = 3_000
        connection.send(String(repeating: "PUT /v1/products/CUBE HTTP/1.1\r\n\r\n", count: count))
        connection.send("GET", "/v1/products/CUBE")
        for _ in 0..<count {
            let status = try await connection.reply().status
            try #require(status == 405)
        }
        #expect(try await connection.reply().status == 200)
    }

    @Test("HTTP/1.0 clients, clients that send Connection: close, and absolute targets are served")
    func otherForms() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        for head in [
            "HTTP/1.0\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
            "HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n",
        ] {
            for (target, status) in [
                ("/v1/products/CUBE", 200), ("/v1/products/NONE", 404), ("/v1/availability?product=CUBE", 200),
                ("/v1/products?limit=1", 200), ("/healthz", 200), ("/nowhere", 404),
            ] {
                let connection = try await HTTPConnection.connect(to: server.shop)
                connection.send(String(repeating: "GET \(target) \(head)\r\n", count: 2))
                let reply = try await connection.reply()
                #expect(reply.status == status)
                #expect(reply["connection"] == "close")
                try await eventually("the connection's end") { connection.isClosed }
                #expect(connection.receivedBytes == 0)
            }
        }
        let staying = try await HTTPConnection.connect(to: server.shop)
        for target in ["/v1/products/CUBE", "/healthz", "/v1/products/CUBE"] {
            staying.send("GET \(target) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let reply = try await staying.reply()
            #expect(reply.status == 200)
            #expect(reply["connection"] == "keep-alive")
        }
        for target in ["/v1/products/CUBE", "/v1/products?limit=1", "/v1/availability?product=CUBE"] {
            staying.send("GET", "http://\(server.shop)\(target)")
            #expect(try await staying.reply().status == 200, "\(target)")
        }
        // HTTP/1.0 has no chunks: the body lasts until the connection closes.
        let events = try await EventStream.open(server.shop, "/v1/events?product=CUBE", version: "1.0")
        #expect(try await events.head()["transfer-encoding"] == nil)
        #expect(try await events.head()["connection"] == "close")
        #expect(try await events.next("availability").json()["products"]?[0]?["id"] == "CUBE")
    }

    @Test("Requests before malformed input, or before the client's half-close, are answered")
    func lastRequests() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let nonsense = try await HTTPConnection.connect(to: server.shop)
        nonsense.send("GET /v1/products/CUBE HTTP/1.1\r\nHost: x\r\n\r\n\u{16}\u{3}\r\n\r\n")
        #expect(try await nonsense.reply().json()["product"]?["id"] == "CUBE")
        #expect(try await nonsense.reply().status == 400)
        try await eventually("the connection's end") { nonsense.isClosed }
        let closing = try await HTTPConnection.connect(to: server.shop)
        closing.send("GET", "/v1/products/CUBE", ["Connection": "close"])
        let ending = try await HTTPConnection.connect(to: server.shop)
        ending.send("GET", "/v1/products/CUBE")
        ending.endSending()
        for last in [closing, ending] {
            #expect(try await last.reply().json()["product"]?["id"] == "CUBE")
            try await eventually("the connection's end") { last.isClosed }
        }
    }

    @Test("A slow client receives a whole large response despite its half-close or the server's shutdown")
    func slowReaders() async throws {
        // More than socket buffers hold: 5 MB, as each byte of these ids is two in JSON.
        let products = (0..<100).map { product in
            let variants = (0..<100).map {
                #"{"id": "\#(String(repeating: #"\\"#, count: 240))\#(product)-\#($0)", "name": "V"}"#
            }
            return #"{"id": "P\#(product)", "name": "P", "category": "kit", "dev_status": 5, "base_price": 1, "#
                + #""has_variants": true, "variants": [\#(variants.joined(separator: ","))]}"#
        }
        let shop = try await Shop(
            catalogue: #"{"categories": ["kit"], "products": [\#(products.joined(separator: ","))]}"#)
        let server = try await shop.startServer()
        let target = "/v1/availability?" + (0..<100).map { "product=P\($0)" }.joined(separator: "&")
        let ending = try await HTTPConnection.connect(to: server.shop, reads: false)
        ending.send("GET", target)
        ending.endSending()
        let staying = try await HTTPConnection.connect(to: server.shop, reads: false)
        staying.send("GET", target)
        let idle = try await HTTPConnection.connect(to: server.shop)
        idle.send("GET", "/healthz")
        #expect(try await idle.reply().status == 200)
        try await eventually(within: .seconds(60), "both answers' beginning") {
            try await server.office.get("/metrics").text
                .contains(#"http_requests_total{route="/v1/availability",status="200"} 2"#)
        }
        ending.startReading()
        #expect(try await ending.reply(within: .seconds(60)).body.count > 5_000_000)
        try await eventually("the connection's end") { ending.isClosed }

        server.process.signal(SIGTERM)
        try await eventually("the end of a connection without a request") { idle.isClosed }
        staying.startReading()
        #expect(try await staying.reply(within: .seconds(60)).body.count > 5_000_000)
        #expect(try await server.process.waitForEnding(within: .seconds(10)) == .exited(0))
    }

    @Test("Connections beyond http_connections wait for a free place, and existing ones are served")
    func connections() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer("--http-connections", "5")
        var subscribers: [EventStream] = []
        for _ in 0..<5 {
            let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
            _ = try await events.next("availability")
            subscribers.append(events)
        }
        // The sixth waits until a place is free.
        let sixth = try await HTTPConnection.connect(to: server.shop)
        sixth.send("GET", "/healthz")
        await #expect(throws: TestSupportError.self) { try await sixth.reply(within: .seconds(1)) }
        // The operator's address has a separate limit.
        #expect(try await server.office.get("/healthz").status == 200)
        try await shop.sell("o-1", ("LAMP", nil, 1))
        for events in subscribers {
            #expect(try await events.next("availability").json()["products"]?[0]?["sold_quantity"] == 1)
        }
        subscribers.removeLast().close()
        #expect(try await sixth.reply().status == 200)
    }
}
