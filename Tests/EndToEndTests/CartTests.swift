import Foundation
import StrictJSON
import TestSupport
import Testing

/// Cart validation by the real server.
@Suite struct CartTests {
    /// A line as sent, and the expected result.
    private struct Line {
        var product: String
        var variant: String?
        var units = 1
        var reasons: [String] = []
        /// The units left; nil if unlimited or unknown.
        var left: Int64?

        var sent: String {
            #"{"product_id": "\#(product)"\#(variant.map { #", "variant_id": "\#($0)""# } ?? ""), "quantity": \#(units)}"#
        }

        var wanted: JSONValue {
            get throws {
                try JSONValue(
                    parsing:
                        """
                        {"product_id": "\(product)", "variant_id": \(variant.map { "\"\($0)\"" } ?? "null"),
                         "quantity": \(units), "ok": \(reasons.isEmpty),
                         "reasons": [\(reasons.map { "\"\($0)\"" }.joined(separator: ", "))],
                         "available_quantity": \(left.map { "\($0)" } ?? "null")}
                        """)
            }
        }
    }

    /// CUBE has 3 of 10 left (BLACK none, WHITE 3 of its 4, RED 3 by the product's cap), OTHER's GREEN 2, LAMP 0; PANEL
    /// is unlimited; GONE is closed.
    private func stockedShop() async throws -> Server {
        let with =
            String(Shop.catalogue.dropLast(2))
            + #", {"id": "GONE", "name": "Gone", "category": "kit", "dev_status": 5, "base_price": 1, "has_variants": false}]}"#
        let shop = try await Shop(catalogue: with)
        try await shop.succeed("sync", try shop.folder.write(Shop.catalogue, to: "products.json"))
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("CUBE", "BLACK", 5), ("CUBE", "RED", 2), ("LAMP", nil, 7))
        try await server.waitForSold(7, of: "LAMP")
        return server
    }

    private static let carts: [(String, [Line])] = [
        (
            "what fits",
            [
                Line(product: "CUBE", variant: "WHITE", units: 3, left: 3),
                Line(product: "PANEL", units: 1_000_000),
                Line(product: "OTHER", variant: "GREEN", units: 2, left: 2),
            ]
        ),
        (
            "each reason once, all told at once",
            [
                Line(product: "NONE", reasons: ["unknown"]), Line(product: "GONE", reasons: ["closed"]),
                Line(product: "OTHER", reasons: ["variant_required"]),
                Line(product: "LAMP", reasons: ["sold_out"], left: 0),
                Line(product: "OTHER", variant: "GREEN", units: 3, reasons: ["only_n_left"], left: 2),
                Line(product: "PANEL"),
            ]
        ),
        (
            "a variant that is of another product, or of none",
            [
                Line(product: "CUBE", variant: "GREEN", reasons: ["unknown"]),
                Line(product: "CUBE", variant: "NONE", reasons: ["unknown"]),
                Line(product: "PANEL", variant: "BLACK", reasons: ["unknown"]),
            ]
        ),
        (
            "a variant that is sold out while its product is not",
            [
                Line(product: "CUBE", variant: "BLACK", reasons: ["sold_out"], left: 0)
            ]
        ),
        (
            "a variant without a cap, bounded by its product",
            [
                Line(product: "CUBE", variant: "RED", units: 4, reasons: ["only_n_left"], left: 3)
            ]
        ),
        (
            "a product over several of its variants: each of its lines fails, no other",
            [
                Line(product: "CUBE", variant: "WHITE", units: 2, reasons: ["only_n_left"], left: 3),
                Line(product: "PANEL", units: 5),
                Line(product: "CUBE", variant: "RED", units: 2, reasons: ["only_n_left"], left: 3),
            ]
        ),
        (
            "the same SKU on several lines, summed",
            [
                Line(product: "OTHER", variant: "GREEN", units: 1, reasons: ["only_n_left"], left: 2),
                Line(product: "OTHER", variant: "GREEN", units: 1, reasons: ["only_n_left"], left: 2),
                Line(product: "OTHER", variant: "GREEN", units: 1, reasons: ["only_n_left"], left: 2),
            ]
        ),
        (
            "the same SKU on several lines that fit",
            [
                Line(product: "OTHER", variant: "GREEN", left: 2), Line(product: "OTHER", variant: "GREEN", left: 2),
            ]
        ),
        (
            "an unlimited one asked for as often as can be",
            [
                Line(product: "PANEL", units: 1_000_000), Line(product: "PANEL", units: 1_000_000),
            ]
        ),
    ]

    @Test("Each line of a cart says whether it fits, why not, and how many units are left")
    func carts() async throws {
        let server = try await stockedShop()
        for (name, lines) in Self.carts {
            let reply = try await server.validate(lines.map(\.sent).joined(separator: ", "))
            #expect(reply.status == 200, "\(name): \(reply.text)")
            let body = try reply.json()
            let wanted = JSONValue.array(try lines.map { try $0.wanted })
            #expect(body["items"]?.sortedText == wanted.sortedText, "\(name)")
            #expect(body["valid"] == .bool(lines.allSatisfy { $0.reasons.isEmpty }), "\(name)")
            #expect(body.keys == ["as_of", "epoch", "items", "seq", "source", "valid"])
        }
        // Validating a cart reserves nothing.
        #expect(try await server.figures(of: "OTHER")["variants"]?[0]?["available_quantity"] == 2)
    }

    @Test("A null variant means no variant, and unknown members are ignored")
    func lenient() async throws {
        let server = try await stockedShop()
        let reply = try await server.shop.request(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json; charset=utf-8"],
            body: #"{"cart": 7, "items": [{"product_id": "PANEL", "variant_id": null, "quantity": 1, "note": {}}]}"#)
        #expect(try reply.json()["valid"] == true, "\(reply.text)")
        #expect(try reply.json()["items"]?[0]?["variant_id"] == .null)
        let largest = Array(repeating: #"{"product_id":"PANEL","quantity":1}"#, count: 1_800).joined(separator: ",")
        let large = try await server.validate(largest)
        #expect(large.status == 200)
        #expect(try large.json()["items"]?.elements.count == 1_800)
    }

    // MARK: - Invalid carts

    private static let wrong: [(String, [String])] = [
        ("", []), ("{", []), ("nul", []), (#"{"items": [}"#, []), ("[]", []), ("null", []), ("{} {}", []),
        (#"{"items": [], "items": []}"#, []),
        ("{}", ["items"]), (#"{"items": null}"#, ["items"]), (#"{"items": {}}"#, ["items"]),
        (#"{"items": []}"#, ["items"]), (#"{"items": [7]}"#, ["items[0]"]),
        (#"{"items": [{}]}"#, ["items[0].product_id", "items[0].quantity"]),
        (#"{"items": [{"product_id": "", "quantity": 1}]}"#, ["items[0].product_id"]),
        (#"{"items": [{"product_id": "a\u0001", "quantity": 1}]}"#, ["items[0].product_id"]),
        (
            #"{"items": [{"product_id": 7, "variant_id": 8, "quantity": "9"}]}"#,
            ["items[0].product_id", "items[0].variant_id", "items[0].quantity"]
        ),
        (#"{"items": [{"product_id": "A", "variant_id": "", "quantity": 1}]}"#, ["items[0].variant_id"]),
        (
            #"{"items": [{"product_id": "\#(String(repeating: "é", count: 128))", "quantity": 1}]}"#,
            ["items[0].product_id"]
        ),
        (
            #"{"items": [{"product_id": "A", "quantity": 1}, {"product_id": "A", "quantity": 0}, {"product_id": "A", "quantity": 1000001}, {"product_id": "A", "quantity": 2.0}, {"product_id": "A", "quantity": -1}, {"product_id": "A", "quantity": 1e400}]}"#,
            ["items[1].quantity", "items[2].quantity", "items[3].quantity", "items[4].quantity", "items[5].quantity"]
        ),
        (
            #"{"items": [\#(Array(repeating: #"{"product_id":"A","quantity":1}"#, count: 2_001).joined(separator: ","))]}"#,
            ["items"]
        ),
    ]

    @Test("An invalid body is a 400 that lists every violation with its path")
    func violations() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        for (body, paths) in Self.wrong {
            let reply = try await server.shop.request(
                "POST", "/v1/cart/validate", ["Content-Type": "application/json"], body: body)
            let problem = try expectProblem(reply, 400)
            let told = problem["violations"]?.elements.compactMap { $0["path"]?.string } ?? []
            #expect(paths.isEmpty || told == paths, "\(body.prefix(200)): \(reply.text.prefix(500))")
            #expect(problem["violations"]?.elements.allSatisfy { $0["detail"]?.string?.isEmpty == false } ?? true)
        }
    }

    @Test("A body of a different type, or over 64 KiB, is rejected, however its length is declared")
    func refusedBodies() async throws {
        let shop = try await Shop()
        let server = try await shop.startServing()
        let cart = #"{"items": [{"product_id": "LAMP", "quantity": 1}]}"#
        for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "nonsense"] {
            try expectProblem(
                try await server.shop.request("POST", "/v1/cart/validate", ["Content-Type": type], body: cart), 415)
        }
        try expectProblem(try await server.shop.request("POST", "/v1/cart/validate", body: cart), 415)
        let large = cart + String(repeating: " ", count: 65_537 - cart.utf8.count)
        try expectProblem(
            try await server.shop.request(
                "POST", "/v1/cart/validate", ["Content-Type": "application/json"], body: large), 413)
        // In chunks, without a declared length.
        let connection = try await HTTPConnection.connect(to: server.shop)
        connection.send(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json", "Transfer-Encoding": "chunked"])
        for _ in 0..<9 { connection.send("2000\r\n" + String(repeating: " ", count: 8_192) + "\r\n") }
        try expectProblem(try await connection.reply(), 413)
        // Declared by its length but never sent.
        let announced = try await server.shop.request(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json", "Content-Length": "1000000000"])
        try expectProblem(announced, 413)
    }

    @Test("A client that sends Expect: 100-continue is told to continue")
    func expectation() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let cart = #"{"items": [{"product_id": "LAMP", "quantity": 1}]}"#
        let connection = try await HTTPConnection.connect(to: server.shop)
        connection.send(
            "POST", "/v1/cart/validate",
            ["Content-Type": "application/json", "Expect": "100-continue", "Content-Length": "\(cart.utf8.count)"])
        #expect(try await connection.reply(toHEAD: true).status == 100)
        connection.send(cart)
        #expect(try await connection.reply().json()["valid"] == true)
    }

    @Test("A body of exactly 64 KiB in chunks is accepted")
    func chunked() async throws {
        let server = try await stockedShop()
        let cart = #"{"items": [{"product_id": "PANEL", "quantity": 1}]}"#
        let text = cart + String(repeating: " ", count: 65_536 - cart.utf8.count)
        let connection = try await HTTPConnection.connect(to: server.shop)
        connection.send(
            "POST", "/v1/cart/validate", ["Content-Type": "application/json", "Transfer-Encoding": "chunked"])
        connection.send("10\r\n\(text.prefix(16))\r\n")
        connection.send(String(65_520, radix: 16) + "\r\n\(text.dropFirst(16))\r\n0\r\n\r\n")
        #expect(try await connection.reply().json()["valid"] == true)
    }
}
