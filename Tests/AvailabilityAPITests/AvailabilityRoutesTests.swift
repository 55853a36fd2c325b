import Foundation
import Domain
import NIOCore
import NIOHTTP1
import Testing

@testable import AvailabilityAPI

/// The requests that are answered without a separate task, and their responses.
@Suite struct AvailabilityRoutesTests {
    private func routes(
        _ shop: StorefrontFixture, origins: AllowedOrigins = .all, isFull: @escaping @Sendable () -> Bool = { false }
    ) -> AvailabilityRoutes {
        let rules = ResponseRules(origins: origins, metrics: RequestMetrics(), logger: StorefrontFixture.logger)
        return AvailabilityRoutes(reader: shop.reader, rules: rules) { _ in
            if isFull() { throw Problem.unavailable("full") }
        }
    }

    private func head(
        _ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders = [:], _ version: HTTPVersion = .http1_1
    ) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: method, uri: path, headers: fields)
    }

    private struct Parts {
        var status: Int
        /// By their lower-case names.
        var fields: [String: String]
        var body: String

        /// The ids of products, in their order.
        var ids: [String] {
            body.components(separatedBy: #"{"id":""#).dropFirst().map { String($0.prefix { $0 != "\"" }) }
        }
    }

    private func response(_ routes: AvailabilityRoutes, _ head: HTTPRequestHead) async throws -> Parts {
        let request = try #require(AvailabilityRequest(head), "\(head.uri)")
        let bytes = await withCheckedContinuation { continuation in
            routes.respond(to: request, on: routes.eventLoop) { bytes in
                #expect(routes.eventLoop.inEventLoop)
                continuation.resume(returning: bytes)
            }
        }
        let text = String(buffer: bytes)
        let end = try #require(text.range(of: "\r\n\r\n"))
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let fields = try lines.dropFirst().map { line in
            let colon = try #require(line.range(of: ": "))
            return (line[..<colon.lowerBound].lowercased(), String(line[colon.upperBound...]))
        }
        #expect(lines[0].hasPrefix("HTTP/1.1 "))
        return Parts(
            status: try #require(Int(lines[0].dropFirst(9).prefix(3))),
            fields: Dictionary(uniqueKeysWithValues: fields),
            body: String(text[end.upperBound...]))
    }

    @Test("They serve one product and the availability of several, with any method, and no other path")
    func addresses() throws {
        for path in [
            "/v1/products/cube", "/v1/products/%63ube?x=1", "/v1/products/%ZZ", "/v1/availability",
            "/v1/availability?product=lamp", "http://shop.example/v1/products/cube",
            "HTTP://shop.example:80/v1/availability?product=a",
        ] {
            #expect(AvailabilityRequest(head(path)) != nil, "\(path)")
            #expect(AvailabilityRequest(head(path, .PUT)) != nil, "\(path)")
        }
        for path in [
            "/", "*", "/v1/products", "/v1/products/", "/v1/products?x=/v1/products/cube", "/v1/products/cube/",
            "/v1/products/cube/x", "/v1/availability/", "/v1/events?product=lamp", "http://shop.example", "http://",
            "http://shop.example?/v1/availability", "/http://shop.example/v1/availability",
        ] {
            #expect(AvailabilityRequest(head(path)) == nil, "\(path)")
        }
    }

    @Test("Products are returned by their ids, as they are spelled, each once")
    func products() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            for path in ["/v1/products/cube", "/v1/products/%63ube", "http://shop.example/v1/products/cube"] {
                let response = try await response(routes, head(path))
                #expect(response.status == 200)
                #expect(response.body.contains(#""product":{"id":"cube","name":"Cube""#), "\(path): \(response.body)")
            }
            let several = try await response(routes, head("/v1/availability?product=lamp&product=cube&product=lamp"))
            #expect(several.ids.filter { ["lamp", "cube"].contains($0) } == ["lamp", "cube"], "\(several.body)")
        }
    }

    @Test("A request that cannot be answered with availability gets a problem")
    func problems() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            for (path, status) in [
                ("/v1/products/none", 404), ("/v1/products/cube?x=1", 400), ("/v1/products/%ZZ", 400),
                ("/v1/availability", 400), ("/v1/availability?product=none", 404), ("/v1/availability?x=1", 400),
                ("/v1/availability?product=lamp&product=none&product=neither", 404),
            ] {
                let response = try await response(routes, head(path))
                #expect(response.status == status, "\(path)")
                #expect(response.fields["content-type"] == "application/problem+json")
                #expect(response.fields["access-control-allow-origin"] == "*")
                #expect(response.fields["x-content-type-options"] == "nosniff")
                #expect(response.fields["content-length"] == "\(response.body.utf8.count)")
            }
            let unknown = try await response(routes, head("/v1/availability?product=a&product=lamp&product=b"))
            #expect(unknown.body.contains(#""unknown":["a","b"]"#), "\(unknown.body)")
            for method in [HTTPMethod.POST, .PUT, .DELETE, .PATCH, .TRACE] {
                let response = try await response(routes, head("/v1/products/cube", method))
                #expect(response.status == 405, "\(method)")
                #expect(response.fields["allow"] == "GET, HEAD, OPTIONS")
            }
            let full = self.routes(shop, isFull: { true })
            for method in [HTTPMethod.GET, .HEAD, .OPTIONS, .PUT] {
                let response = try await response(full, head("/v1/products/cube", method))
                #expect(response.status == 503, "\(method)")
                #expect(response.fields["retry-after"] == "1")
                #expect(response.body.isEmpty == (method == .HEAD))
            }
        }
    }

    @Test("HEAD is answered like GET, without the body; OPTIONS with the methods and the CORS rules")
    func otherMethods() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            for path in ["/v1/products/cube", "/v1/availability?product=cube", "/v1/products/none"] {
                let get = try await response(routes, head(path))
                let response = try await response(routes, head(path, .HEAD))
                #expect(response.status == get.status)
                #expect(response.body.isEmpty)
                #expect(response.fields["content-length"] == get.fields["content-length"], "\(path)")
                #expect(response.fields["etag"] == get.fields["etag"])
            }
            let options = try await response(routes, head("/v1/products/cube", .OPTIONS))
            #expect(options.status == 204)
            #expect(options.fields["allow"] == "GET, HEAD, OPTIONS")
            #expect(options.fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS")
            #expect(options.fields["access-control-max-age"] == "600")
            // RFC 9110, 8.6.
            #expect(options.fields["content-length"] == nil)
        }
    }

    @Test("The response says whether the connection stays open, if that is not the default")
    func connections() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            for (fields, version, expected) in [
                ([:], .http1_1, nil), (["connection": "Keep-Alive"], .http1_1, nil),
                (["connection": "upgrade"], .http1_1, nil), (["Connection": "close"], .http1_1, "close"),
                (["Connection": "keep-alive", "connection": "close"], .http1_1, "close"),
                (["content-length": "2"], .http1_1, "close"), (["content-length": "0"], .http1_1, nil),
                (["Transfer-Encoding": "chunked"], .http1_1, "close"), ([:], .http1_0, "close"),
                (["Connection": "keep-alive"], .http1_0, "keep-alive"),
            ] as [(HTTPHeaders, HTTPVersion, String?)] {
                let head = head("/v1/products/cube", .GET, fields, version)
                let response = try await response(routes, head)
                #expect(response.status == 200)
                #expect(response.fields["connection"] == expected, "\(fields), \(version)")
                #expect(AvailabilityRequest(head)?.isLast == (expected == "close"))
            }
        }
    }

    @Test("The same request gets the same response, or a 304 if nothing has changed")
    func tags() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            let first = try await response(routes, head("/v1/products/cube"))
            #expect(first.status == 200)
            #expect(first.fields["content-length"] == "\(first.body.utf8.count)")
            #expect(first.fields["access-control-allow-origin"] == "*")
            #expect(first.fields["x-content-type-options"] == "nosniff")
            #expect(first.fields["date"]?.hasSuffix(" GMT") == true)
            let tag = try #require(first.fields["etag"])
            let known: HTTPHeaders = ["If-None-Match": "\"x\"", "if-none-match": tag]
            for method in [HTTPMethod.GET, .HEAD] {
                let unchanged = try await response(routes, head("/v1/products/cube", method, known))
                #expect(unchanged.status == 304)
                #expect(unchanged.fields["etag"] == tag)
                #expect(unchanged.fields["content-length"] == nil)
                #expect(unchanged.body.isEmpty)
            }
            try await shop.sell(1, of: "p:cube", "v:red")
            let newer = try await response(routes, head("/v1/products/cube", .GET, known))
            #expect(newer.status == 200)
            #expect(newer.fields["etag"] != tag)
        }
    }

    @Test("No origin is given the response for another one")
    func origins() async throws {
        try await withStorefront { shop in
            let routes = routes(shop, origins: .some(["https://a.example", "https://b.example"]))
            // Concurrently: most are answered by one round trip.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    for (origin, allowed) in [
                        ("https://a.example", "https://a.example"), ("https://b.example", "https://b.example"),
                        ("https://c.example", nil),
                    ] {
                        group.addTask {
                            let asked = head("/v1/products/cube", .GET, ["origin": origin])
                            let response = try await response(routes, asked)
                            #expect(response.fields["access-control-allow-origin"] == allowed, "\(origin)")
                            #expect(response.fields["vary"] == "Origin")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Buffer space is checked again when a response has to be built")
    func room() async throws {
        try await withStorefront { shop in
            let asked = Count()
            // There is some before availability is read, and none afterwards.
            let routes = routes(shop) {
                asked.add()
                return asked.value > 1
            }
            let refused = try await response(routes, head("/v1/products/cube"))
            #expect(refused.status == 503)
            #expect(asked.value == 2)
        }
    }

    @Test("A catalogue to which the counters now belong is read before the response is built")
    func newCatalogue() async throws {
        try await withStorefront { shop in
            let routes = routes(shop)
            #expect(try await response(routes, head("/v1/availability?product=cube")).status == 200)
            var catalogue = Catalogue.sample
            catalogue.products[0].name = "Cube II"
            catalogue.products[2].id = "panel"
            _ = try await shop.ledger.sync(catalogue)
            #expect(try await response(routes, head("/v1/products/panel")).status == 404)
            try await shop.install()
            #expect(try await response(routes, head("/v1/products/cube")).body.contains(#""name":"Cube II""#))
            #expect(try await response(routes, head("/v1/products/panel")).status == 200)
        }
    }

    @Test("Without availability the response is a 503, without a body for HEAD")
    func noFigures() async throws {
        try await withStorefront(isInstalled: false) { shop in
            let routes = routes(shop)
            for path in ["/v1/products/cube", "/v1/availability?product=cube", "/v1/products/none"] {
                let response = try await response(routes, head(path))
                #expect(response.status == 503)
                #expect(response.fields["retry-after"] == "1")
                #expect(response.fields["etag"] == nil)
                #expect(try await self.response(routes, head(path, .HEAD)).body.isEmpty)
            }
        }
    }
}
