import Foundation
import TestSupport
import Testing

/// Command input: files of any encoding and name, environment variables, and mistyped words.
@Suite struct InputTests {
    private static func order(_ id: String) -> String {
        #"{"type":"checkout.completed","payload":{"order_id":"\#(id)","#
            + #""items":[{"product_id":"PANEL","quantity":1,"unit_price":5}]}}"#
    }

    // MARK: - Files

    @Test(
        "A byte order mark at the start of a file or of standard input is ignored; lines may end with CRLF")
    func byteOrderMarks() async throws {
        let shop = try await Shop(catalogue: nil)
        try await shop.succeed("sync", try shop.folder.write("\u{FEFF}" + Shop.catalogue, to: "marked.json"))
        #expect(try await shop.succeed("sync", "-", input: "\u{FEFF}" + Shop.catalogue).contains("8 unchanged"))
        #expect(try await shop.succeed("sync", "-", input: Shop.catalogue).contains("8 unchanged"))
        let lines = "\u{FEFF}" + Self.order("o1") + "\r\n" + Self.order("o2") + "\r\n"
        let file = try shop.folder.write(lines, to: "marked.ndjson")
        #expect(try await shop.succeed("publish", file).contains("published 2 messages"))
        let piped = "\u{FEFF}" + Self.order("o3")
        #expect(try await shop.succeed("publish", "-", input: piped).contains("published 1 message"))
        // Inside the input it is not a byte order mark.
        let inside = try await shop.run(["publish", "-"], input: Self.order("o4") + "\n\u{FEFF}" + Self.order("o5"))
        #expect(inside.status == 1)
        #expect(inside.errors.contains("standard input:2: column 1: the text starts with a byte order mark"))
        let settings = try shop.folder.write("\u{FEFF}{\"store\": \"main\"}", to: "settings.json")
        try await shop.succeed("stock", "--config", settings)
        try await shop.consumeAll()
        #expect(try shop.query("SELECT id FROM orders ORDER BY id") == [["o1"], ["o2"], ["o3"], ["o4"]])
    }

    @Test(
        "UTF-16 is rejected with a one-sentence error, and nothing is sent or written",
        arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32])
    func utf16(encoding: String.Encoding) async throws {
        let shop = try await Shop()
        let catalogue = shop.folder.path(of: "wide.json")
        try #require(Shop.catalogue.data(using: encoding)).write(to: URL(fileURLWithPath: catalogue))
        let synced = try await shop.run(["sync", catalogue])
        #expect(synced.status == 1)
        let sentence = "is UTF-16 or UTF-32, and only UTF-8 is read. Save it as UTF-8"
        #expect(synced.errors == "\(catalogue): \(sentence).\n")
        let orders = shop.folder.path(of: "wide.ndjson")
        try #require((Self.order("o1") + "\n" + Self.order("o2")).data(using: encoding))
            .write(to: URL(fileURLWithPath: orders))
        let published = try await shop.run(["publish", orders])
        #expect(published.status == 1)
        #expect(published.errors == "\(orders): \(sentence)\n")
        #expect(published.output.contains("published 0 messages"))
    }

    // MARK: - The environment

    @Test("An empty variable counts as unset; a misspelt one only causes a warning")
    func variables() async throws {
        let shop = try await Shop()
        let empty = try await shop.run(
            ["orders", "list"], environment: ["STOCKTAKE_HTTP_PORT": "", "STOCKTAKE_STORE": "", "STOCKTAKE_CONFIG": ""])
        #expect(empty.status == 0 && empty.errors == "", "\(empty.errors)")
        let misspelt = try await shop.run(
            ["orders", "list"],
            environment: [
                "STOCKTAKE_BATCHORDERS": "5", "STOCKTAKE_UNHEARD_OF": "secret", "STOCKTAKE_NOTHING": "",
                // Variables that Kubernetes sets for a service named "stocktake".
                "STOCKTAKE_SERVICE_HOST": "10.0.0.1", "STOCKTAKE_SERVICE_PORT_HTTP": "80",
                "STOCKTAKE_PORT": "tcp://10.0.0.1:80", "STOCKTAKE_PORT_80_TCP_ADDR": "10.0.0.1",
            ])
        #expect(misspelt.status == 0)
        #expect(
            misspelt.errors == """
                warning: STOCKTAKE_BATCHORDERS is not a setting and has no effect. Did you mean STOCKTAKE_BATCH_ORDERS?
                warning: STOCKTAKE_UNHEARD_OF is not a setting and has no effect.

                """)
    }

    // MARK: - Words

    @Test(
        "A mistyped word is reported with a suggestion",
        arguments: [
            (["dead-letters", "replay", "--reason", "closed_product"], "product_closed"),
            (["dead-letters", "discard", "--yes", "--reason", "unknow_product"], "unknown_product"),
            (["dead-letters", "list", "--reason", "order-conflict"], "order_conflict"),
            (["dead-letters", "list", "--status", "opne"], "open"),
            (["orders", "list", "--status", "canceled"], "cancelled"), (["orders", "lst"], "list"),
            (["order", "list"], "orders"), (["deadletters", "list"], "dead-letters"), (["ledger", "backp"], "backup"),
            (["stock", "--log-level", "warn1ng"], "warning"),
        ])
    func words(arguments: [String], meant: String) async throws {
        let process = try ChildProcess(try builtBinary("stocktake"), arguments)
        #expect(try await process.waitForEnding() == .exited(64))
        #expect(process.standardError.contains("Did you mean \"\(meant)\"?"), "\(process.standardError)")
    }

    @Test("stock show suggests a product for a mistyped id, and names the product of a variant's id")
    func products() async throws {
        let shop = try await Shop()
        let mistyped = try await shop.run(["stock", "show", "CUBE", "PANLE"])
        #expect(mistyped.status == 1)
        #expect(mistyped.errors.contains(#"no product "PANLE" in store main. Did you mean "PANEL"?"#))
        let variant = try await shop.run(["stock", "show", "CUBE", "RED"])
        #expect(variant.errors.contains(#"It is a variant of "CUBE""#), "\(variant.errors)")
    }

    @Test("Completion offers the values of settings, too")
    func completion() async throws {
        let process = try ChildProcess(try builtBinary("stocktake"), ["--generate-completion-script", "bash"])
        #expect(try await process.waitForEnding() == .exited(0))
        #expect(process.standardOutput.contains("notice"))
        #expect(process.standardOutput.contains("variant_of_another_product"))
    }

    @Test("Dead letters suggest the likely id, and make trailing blanks visible")
    func deadLetters() async throws {
        let shop = try await Shop()
        func lines(_ product: String, _ variant: String?) -> String {
            let variant = variant.map { #","variant_id":"\#($0)""# } ?? ""
            return #"{"type":"checkout.completed","payload":{"order_id":"o-\#(product)","#
                + #""items":[{"product_id":"\#(product)"\#(variant),"quantity":1,"unit_price":5}]}}"#
        }
        try await shop.publish([
            lines("PANEL ", nil), lines("panel", nil), lines("PANLE", nil), lines("CUBE", "Balck"), lines("RED", nil),
            lines("NOTHING-LIKE-IT", nil), Self.order("o").replacing("checkout.completed", with: "checkout.complete"),
        ])
        try await shop.consumeAll()
        #expect(
            try shop.query("SELECT detail FROM dead_letters ORDER BY id").map { $0[0] } == [
                #"items[0].product_id: no product "PANEL " in the catalogue; did you mean "PANEL"?"#,
                #"items[0].product_id: no product "panel" in the catalogue; did you mean "PANEL"?"#,
                #"items[0].product_id: no product "PANLE" in the catalogue; did you mean "PANEL"?"#,
                #"items[0].variant_id: no variant "Balck" in the catalogue; did you mean "BLACK"?"#,
                #"items[0].product_id: no product "RED" in the catalogue; it is a variant of product "CUBE""#,
                #"items[0].product_id: no product "NOTHING-LIKE-IT" in the catalogue"#,
                #"type: "checkout.complete" is not a type this version knows; did you mean "checkout.completed"?"#,
            ])
    }
}
