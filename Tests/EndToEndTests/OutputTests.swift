import Foundation
import StrictJSON
import TestSupport
import Testing

/// A command's output, and what happens when it cannot be written.
@Suite struct OutputTests {
    private static func order(_ id: String, payment: String = "pi", currency: String = "eur") -> String {
        #"{"type":"checkout.completed","payload":{"order_id":"\#(id)","payment_intent_id":"\#(payment)","#
            + #""currency":"\#(currency)","total":5,"items":[{"product_id":"PANEL","quantity":1,"unit_price":5}]}}"#
    }

    /// Runs a subcommand with its output redirected by a shell.
    private func run(_ arguments: [String], to target: String, in shop: Shop) async throws -> Shop.Result {
        let process = try shop.start(arguments, under: ["sh", "-c", "exec \"$0\" \"$@\" \(target)"])
        guard case .exited(let status) = try await process.waitForEnding(within: .seconds(60)) else {
            throw TestSupportError("\(arguments) died: \(process.standardError)")
        }
        return .init(status: status, output: process.standardOutput, errors: process.standardError)
    }

    @Test("Output that cannot be written is exit code 2, for every command")
    func fullDevice() async throws {
        let shop = try await Shop()
        try await shop.publish([Self.order("o")])
        try await shop.consumeAll()
        let commands = [
            ["orders", "list"], ["orders", "list", "--json"], ["orders", "show", "o"], ["stock"], ["stock", "--json"],
            ["dead-letters", "list"], ["adjustments", "list", "--json"], ["outcomes", "list"], ["audit", "list"],
            ["repairs", "list"],
            ["reconcile", "--all"],
            ["ledger", "check"], ["doctor", "--json"], ["sync", "--dry-run", shop.folder.path(of: "products.json")],
            ["--version"], ["--help"], ["help", "orders"], ["orders", "list", "--help"],
            ["--generate-completion-script", "bash"],
        ]
        for command in commands {
            #expect(try await run(command, to: ">/dev/null", in: shop).status < 2, "\(command)")
            let full = try await run(command, to: ">/dev/full", in: shop)
            #expect(full.status == 2, "\(command)")
            #expect(full.errors.contains("on standard output: No space left on device"), "\(command): \(full.errors)")
            #expect(try await run(command, to: ">&-", in: shop).status == 2, "\(command)")
        }
    }

    @Test("A command whose output cannot be written still does its work")
    func workIsDone() async throws {
        let shop = try await Shop()
        let file = try shop.folder.write(Shop.catalogue.replacing("PANEL", with: "SHEET"), to: "changed.json")
        #expect(try await run(["sync", file], to: ">/dev/full", in: shop).status == 2)
        #expect(try shop.value("SELECT count(*) FROM products WHERE id = 'SHEET'") == "1")
        // "Not found" keeps its exit code, too: neither is lost.
        #expect(try await run(["orders", "show", "nobody"], to: ">/dev/full", in: shop).status == 1)
    }

    @Test("A closed pipe ends --watch with exit code 2 and without a message")
    func closedPipe() async throws {
        let shop = try await Shop()
        try await shop.consumeAll()
        for flags in [["--watch"], ["--watch", "--json"]] {
            // The shell's standard error shows the status; `true` reads nothing.
            let script = #"{ "$0" "$@"; echo "status $?" >&2; } | true"#
            let process = try shop.start(["stock"] + flags, under: ["sh", "-c", script])
            #expect(try await process.waitForEnding(within: .seconds(20)) == .exited(0))
            #expect(process.standardError == "status 2\n", "\(process.standardError)")
        }
    }

    @Test("Untrusted text neither controls the terminal nor forges a line, and is unchanged in JSON")
    func escapes() async throws {
        let shop = try await Shop()
        // A newline and a row that resembles ours; CSI as one byte of Latin-1; a right-to-left override.
        let payment = #"pi\nforged  accepted\u001b[2J\u009b2J"#
        try await shop.publish([Self.order("o", payment: payment, currency: #"e\u202eur\tx"#)])
        try await shop.consumeAll()
        for json in [false, true] {
            for command in [["orders", "list"], ["orders", "show", "o"]] {
                let shown = try await shop.succeed(arguments: command + (json ? ["--json"] : []))
                #expect(!shown.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
                #expect(!shown.unicodeScalars.contains("\u{202E}"))
                #expect(!shown.contains("\nforged"), "\(shown)")
            }
        }
        let listed = try await shop.succeed("orders", "list")
        #expect(listed.contains(#"pi\nforged  accepted\u001B[2J\u009B2J"#), "\(listed)")
        let parsed = try JSONValue.parse(Array(try await shop.succeed("orders", "list", "--json").utf8))
        #expect(parsed["orders"]?[0]?["payment_intent_id"]?.string == "pi\nforged  accepted\u{1B}[2J\u{9B}2J")
        // A field that others wrote into the counters' hash: in the table, and in the log.
        _ = try await shop.redis.command("HSET", shop.keys.stock, "x\nforged\u{1B}[2J", "1")
        let found = try await shop.run(["reconcile"])
        #expect(found.output.contains(#""x\nforged\u001B[2J""#), "\(found.output)\(found.errors)")
        #expect(!found.output.contains("\u{1B}"))
        let consumer = try await shop.startConsumer("--reconcile-interval-s", "1")
        _ = try await shop.redis.command("HSET", shop.keys.stock, "y\nforged\u{1B}[2J", "1")
        let line = try await consumer.waitForLine(containing: "a counter drifts", within: .seconds(30))
        #expect(line.contains(#"y\nforged\u001B[2J"#), "\(line)")
        #expect(!consumer.standardError.contains("\u{1B}"))
        #expect(try await consumer.stop() == .exited(0))
    }

    @Test("A wildcard address is printed as an address that can be opened")
    func anyAddress() async throws {
        let shop = try await Shop()
        let server = try shop.start(["serve", "--http-host", "0.0.0.0"])
        let line = try await server.waitForLine(containing: "listening on", within: .seconds(30))
        #expect(line.contains("http://127.0.0.1:") && line.contains("every other address"), "\(line)")
        #expect(try await server.stop() == .exited(0))
    }
}
