import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import AvailabilityAPI

/// Which requests are answered without a task, and with what.
@Suite struct DirectReadsTests {
    private func reads(
        _ shop: StorefrontFixture, origins: AllowedOrigins = .all, isFull: Bool = false
    ) -> DirectReads {
        DirectReads(storefront: shop.storefront, rules: AnswerRules(origins: origins, metrics: RequestMetrics())) { _ in
            if isFull { throw Problem.unavailable("full") }
        }
    }

    private func request(
        _ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders = [:], _ version: HTTPVersion = .http1_1
    ) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: method, uri: path, headers: fields)
    }

    /// The status, the fields by their names in lower case, and the body of an answer's bytes.
    private func parts(_ bytes: ByteBuffer) throws -> (status: String, fields: [String: String], body: Substring) {
        let text = String(buffer: bytes)
        let end = try #require(text.range(of: "\r\n\r\n"))
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let fields = try lines.dropFirst().map { line in
            let colon = try #require(line.range(of: ": "))
            return (line[..<colon.lowerBound].lowercased(), String(line[colon.upperBound...]))
        }
        return (lines[0], Dictionary(uniqueKeysWithValues: fields), text[end.upperBound...])
    }

    private func read(
        _ question: DirectReads.Question, _ shop: StorefrontFixture
    ) async throws -> SharedReads.Reading {
        try await shop.storefront.reads.read(question.products)
    }

    @Test("One product and the figures of known ones are read directly, everything else is for the routes")
    func questions() async throws {
        try await withStorefront { shop in
            let reads = reads(shop)
            for (path, ids) in [
                ("/v1/products/cube", ["cube"]), ("/v1/products/%63ube", ["cube"]),
                ("/v1/availability?product=lamp", ["lamp"]),
                ("/v1/availability?product=lamp&product=cube&product=lamp", ["lamp", "cube"]),
            ] {
                #expect(reads.question(request(path))?.products.map(\.id.text) == ids, "\(path)")
            }
            for path in [
                "/", "/v1/products", "/v1/products/", "/v1/products/none", "/v1/products/cube/",
                "/v1/products/cube?x=1",
                "/v1/products/%ZZ", "/v1/availability", "/v1/availability?product=none", "/v1/availability?x=1",
                "/v1/availability?product=lamp&product=none", "/v1/events?product=lamp",
            ] {
                #expect(reads.question(request(path)) == nil, "\(path)")
            }
            for method in [HTTPMethod.HEAD, .POST, .OPTIONS, .PUT] {
                #expect(reads.question(request("/v1/products/cube", method)) == nil, "\(method)")
            }
            for fields: HTTPHeaders in [
                ["content-length": "2"], ["Transfer-Encoding": "chunked"], ["connection": "close"],
                ["Connection": "upgrade"], ["Connection": "keep-alive", "connection": "close"],
            ] {
                #expect(reads.question(request("/v1/products/cube", .GET, fields)) == nil, "\(fields)")
            }
            #expect(reads.question(request("/v1/products/cube", .GET, ["connection": "Keep-Alive"])) != nil)
            #expect(reads.question(request("/v1/products/cube", .GET, [:], .http1_0)) == nil)
            #expect(self.reads(shop, isFull: true).question(request("/v1/products/cube")) == nil)
        }
    }

    @Test("Whoever asks the same in one round trip is given the same answer, or told that it has not changed")
    func answers() async throws {
        try await withStorefront { shop in
            let reads = reads(shop)
            let asked = request("/v1/products/cube")
            let question = try #require(reads.question(asked))
            let reading = try await read(question, shop)
            let bytes = try #require(reads.answer(asked, question, .success(reading)))
            let answer = try parts(bytes)
            #expect(answer.status == "HTTP/1.1 200 OK")
            #expect(answer.fields["content-length"] == "\(answer.body.utf8.count)")
            #expect(answer.fields["access-control-allow-origin"] == "*")
            #expect(answer.fields["x-content-type-options"] == "nosniff")
            #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
            #expect(reads.answer(asked, question, .success(reading)) == bytes)
            let tag = try #require(answer.fields["etag"])
            let again = request("/v1/products/cube", .GET, ["If-None-Match": "\"x\"", "if-none-match": tag])
            let unchanged = try parts(try #require(reads.answer(again, question, .success(reading))))
            #expect(unchanged.status == "HTTP/1.1 304 Not Modified")
            #expect(unchanged.fields["etag"] == tag)
            #expect(unchanged.fields["content-length"] == nil)
            #expect(unchanged.body.isEmpty)
            try await shop.sell(1, of: "p:cube", "v:red")
            let next = try await read(question, shop)
            let newer = try parts(try #require(reads.answer(again, question, .success(next))))
            #expect(newer.status == "HTTP/1.1 200 OK")
            #expect(newer.body != answer.body)
        }
    }

    @Test("No origin is given the answer of another one")
    func origins() async throws {
        try await withStorefront { shop in
            let reads = reads(shop, origins: .some(["https://a.example", "https://b.example"]))
            let question = try #require(reads.question(request("/v1/products/cube")))
            let reading = try await read(question, shop)
            for _ in 0..<2 {
                for (origin, allowed) in [
                    ("https://a.example", "https://a.example"), ("https://b.example", "https://b.example"),
                    ("https://c.example", nil),
                ] {
                    let asked = request("/v1/products/cube", .GET, ["origin": origin])
                    let answer = try parts(try #require(reads.answer(asked, question, .success(reading))))
                    #expect(answer.fields["access-control-allow-origin"] == allowed, "\(origin)")
                    #expect(answer.fields["vary"] == "Origin")
                }
            }
        }
    }

    @Test("Without figures the answer is 503; figures of another catalogue are for the routes")
    func unusual() async throws {
        try await withStorefront { shop in
            let reads = reads(shop)
            let asked = request("/v1/availability?product=cube")
            let question = try #require(reads.question(asked))
            let failure = AvailabilityUnavailable(description: "away")
            let failed = try parts(try #require(reads.answer(asked, question, .failure(failure))))
            #expect(failed.status == "HTTP/1.1 503 Service Unavailable")
            #expect(failed.fields["retry-after"] == "1")
            try await shop.server.command("HINCRBY", shop.keys.stock, "catalogue", "1")
            let reading = try await read(question, shop)
            #expect(reads.answer(asked, question, .success(reading)) == nil)
        }
    }
}
