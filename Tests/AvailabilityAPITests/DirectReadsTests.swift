import HTTPTypes
import Testing

@testable import AvailabilityAPI

/// Which requests are answered without a task, and with what.
@Suite struct DirectReadsTests {
    private func reads(_ shop: StorefrontFixture) -> DirectReads {
        DirectReads(
            storefront: shop.storefront,
            responder: RouteResponder(
                routes: { _ in nil }, origins: .all, admit: { _, _ in }, metrics: RequestMetrics(),
                logger: StorefrontFixture.logger))
    }

    private func request(
        _ path: String, _ method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "http", authority: "x", path: path, headerFields: fields)
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
            for method in [HTTPRequest.Method.head, .post, .options, .put] {
                #expect(reads.question(request("/v1/products/cube", method)) == nil, "\(method)")
            }
            for fields: HTTPFields in [
                [.contentLength: "2"], [.transferEncoding: "chunked"], [.connection: "close"], [.connection: "upgrade"],
            ] {
                #expect(reads.question(request("/v1/products/cube", .get, fields)) == nil, "\(fields)")
            }
            #expect(reads.question(request("/v1/products/cube", .get, [.connection: "Keep-Alive"])) != nil)
        }
    }

    @Test("Whoever asks the same in one round trip is given the same answer, or told that it has not changed")
    func answers() async throws {
        try await withStorefront { shop in
            let reads = reads(shop)
            let asked = request("/v1/products/cube")
            let question = try #require(reads.question(asked))
            let reading = try await read(question, shop)
            let answer = try #require(reads.answer(asked, question, .success(reading)))
            #expect(answer.head.status == .ok)
            #expect(answer.head.headerFields[.contentLength] == "\(answer.body.readableBytes)")
            #expect(answer.head.headerFields[.accessControlAllowOrigin] == "*")
            #expect(reads.answer(asked, question, .success(reading))?.body == answer.body)
            let tag = try #require(answer.head.headerFields[.eTag])
            let again = request("/v1/products/cube", .get, [.ifNoneMatch: tag])
            let unchanged = reads.answer(again, question, .success(reading))
            #expect(unchanged?.head.status == .notModified)
            #expect(unchanged?.body.readableBytes == 0)
            try await shop.sell(1, of: "p:cube", "v:red")
            let next = try await read(question, shop)
            #expect(reads.answer(again, question, .success(next))?.head.status == .ok)
        }
    }

    @Test("Without figures the answer is 503; figures of another catalogue are for the routes")
    func unusual() async throws {
        try await withStorefront { shop in
            let reads = reads(shop)
            let asked = request("/v1/availability?product=cube")
            let question = try #require(reads.question(asked))
            let failed = reads.answer(asked, question, .failure(FiguresUnavailable(description: "away")))
            #expect(failed?.head.status == .serviceUnavailable)
            #expect(failed?.head.headerFields[.retryAfter] == "1")
            try await shop.server.command("HINCRBY", shop.keys.stock, "catalogue", "1")
            let reading = try await read(question, shop)
            #expect(reads.answer(asked, question, .success(reading)) == nil)
        }
    }
}
