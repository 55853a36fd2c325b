import Foundation
import TestSupport
import Testing

/// Many clients of the real server that request much and do not read.
@Suite struct SlowReaderTests {
    /// A list of products that takes a megabyte.
    private static let largeCatalogue: String = {
        let text = String(repeating: "x", count: 10_000)
        let products = (0..<100).map {
            #"{"id": "P\#($0)", "name": "P", "category": "kit", "dev_status": 5, "base_price": 1, "#
                + #""has_variants": false, "long_description": "\#(text)"}"#
        }
        return #"{"categories": ["kit"], "products": [\#(products.joined(separator: ","))]}"#
    }()

    private func memory(_ server: Server) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(server.process.processID)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }

    private func metric(_ name: String, _ server: Server) async throws -> Int {
        let line = try await server.office.get("/metrics").text.split(separator: "\n").first {
            $0.hasPrefix(name + " ")
        }
        // A counter that has not been incremented yet may have no line.
        return try #require(Int(line?.split(separator: " ").last ?? "0"))
    }

    @Test("Buffers for clients that do not read stay below http_buffer_bytes, and other clients are served")
    func bound() async throws {
        let limit = 16 << 20
        let shop = try await Shop(catalogue: Self.largeCatalogue)
        let server = try await shop.startServer("--http-buffer-bytes", "\(limit)")
        for _ in 0..<5 { #expect(try await server.get("/v1/products?limit=100").body.count > 1_000_000) }
        let before = try memory(server)
        var deaf: [HTTPConnection] = []
        var most = 0
        // 120 MB of responses.
        for number in 0..<120 {
            let connection = try await HTTPConnection.connect(to: server.shop, reads: false)
            connection.send("GET", "/v1/products?limit=100")
            deaf.append(connection)
            guard number % 10 == 9 else { continue }
            most = max(most, try await metric("stocktake_http_unread_bytes", server))
            // Refused at most until buffers are freed, which takes an event loop some turns.
            try await eventually("others are served") {
                (try? await server.figures(of: "P1"))?["sold_quantity"] == 0
            }
        }
        let (closed, refused) = (
            #"stocktake_http_cut_off_total{reason="buffer"}"#,
            #"stocktake_http_requests_total{route="/v1/products",status="503"}"#
        )
        // 16 responses fit. All other connections are closed to make room, or get a 503.
        try await eventually(within: .seconds(120), "no more than fit are held") {
            most = max(most, try await metric("stocktake_http_unread_bytes", server))
            return try await metric(closed, server) + metric(refused, server) >= 100
        }
        // Plus what each event loop has counted but not yet made room for.
        #expect(most <= limit + (4 << 20))
        #expect(most > 0)
        // Including what the allocator retains.
        #expect(try memory(server) - before < 80 << 20)
        #expect(try await metric(closed, server) > 0)
        for connection in deaf { connection.close() }
        try await eventually("nothing is held") { try await metric("stocktake_http_unread_bytes", server) == 0 }
        #expect(try await server.process.stop() == .exited(0))
    }
}
