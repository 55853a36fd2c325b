import Foundation
import StrictJSON
import TestSupport
import Testing

/// A process that serves a shop's availability, with the addresses printed on its standard output.
struct Server: Sendable {
    let process: ChildProcess
    /// Keeps its Redis and its folder alive as long as the server.
    private let keptShop: Shop
    /// The public address.
    let shop: HTTPAddress

    init(_ process: ChildProcess, of shop: Shop) async throws {
        self.process = process
        keptShop = shop
        self.shop = try HTTPAddress(
            in: try await process.waitForLine(containing: "listening on http://", within: .seconds(30)))
    }

    /// The operator's address.
    var office: HTTPAddress {
        get async throws {
            try HTTPAddress(
                in: try await process.waitForLine(containing: "operator page on http://", within: .seconds(10)))
        }
    }

    /// The public address for a browser: `http://127.0.0.1:PORT`.
    var address: String { "http://\(shop)" }

    /// `http://127.0.0.1:PORT/operator`
    var operatorPage: String {
        get async throws { "http://\(try await office)/operator" }
    }

    func get(_ target: String, _ headers: KeyValuePairs<String, String> = [:]) async throws -> HTTPReply {
        try await shop.get(target, headers)
    }

    /// The availability of one product, from /v1/availability.
    func figures(of product: String) async throws -> JSONValue {
        let reply = try await get("/v1/availability?product=\(product.percentEncoded)")
        guard reply.status == 200, let figures = try reply.json()["products"]?[0] else {
            throw TestSupportError("\(reply.status) for \(product): \(reply.text)")
        }
        return figures
    }

    /// Waits until the server reports this many units of a product as sold.
    func waitForSold(_ sold: Int64, of product: String, within limit: Duration = .seconds(20)) async throws {
        try await eventually(within: limit, "\(sold) sold of \(product)") {
            try await figures(of: product)["sold_quantity"]?.integer == sold
        }
    }

    /// Waits until the server answers an availability request with this status.
    @discardableResult
    func waitForStatus(
        _ status: Int, of target: String = "/v1/products", within limit: Duration = .seconds(20)
    ) async throws -> HTTPReply {
        var reply: HTTPReply?
        try await eventually(within: limit, "\(status) of \(target)") {
            reply = try await get(target)
            return reply?.status == status
        }
        guard let reply else { throw TestSupportError("no reply") }
        return reply
    }

    func validate(_ items: String) async throws -> HTTPReply {
        try await shop.request(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json"], body: #"{"items": [\#(items)]}"#)
    }
}

extension Shop {
    /// Starts `run`, consumer and server in one process, and waits until it serves availability.
    func startServer(_ more: String..., environment: [String: String] = [:]) async throws -> Server {
        let server = try await Server(try start(["run"] + more, environment: environment), of: self)
        try await server.waitForStatus(200, of: "/readyz")
        try await server.waitForStatus(200, of: "/v1/products")
        return server
    }

    /// Starts `serve`, a server alone; it may not have any availability yet.
    func startServing(_ more: String..., environment: [String: String] = [:]) async throws -> Server {
        try await Server(try start(["serve"] + more, environment: environment), of: self)
    }

    /// Adds an order to the stream without starting a process.
    func sell(_ order: SequentialModel.Order) async throws {
        let message = try JSONValue(parsing: order.message)
        guard let payload = message["payload"] else { throw TestSupportError("no payload in \(order.message)") }
        _ = try await redis.command(
            "XADD", keys.checkouts, "*", "type", "checkout.completed", "payload", payload.text)
    }

    func sell(_ id: String, _ lines: (String, String?, Int)...) async throws {
        var order = SequentialModel.Order(id)
        order.lines = lines.map { .init(product: $0.0, variant: $0.1, units: $0.2) }
        try await sell(order)
    }
}

/// Checks that a response is an error of the usual form, and returns its body.
@discardableResult
func expectProblem(
    _ reply: HTTPReply, _ status: Int, _ location: SourceLocation = #_sourceLocation
) throws -> JSONValue {
    #expect(reply.status == status, "\(reply.text)", sourceLocation: location)
    #expect(reply["content-type"] == "application/problem+json", sourceLocation: location)
    let body = try reply.json()
    #expect(body["type"] == "about:blank", sourceLocation: location)
    #expect(body["status"]?.integer == Int64(status), sourceLocation: location)
    #expect(body["title"]?.string?.isEmpty == false, sourceLocation: location)
    #expect(body["detail"]?.string?.isEmpty == false, sourceLocation: location)
    return body
}
