import Foundation
import TestSupport
import Testing

/// Units sold outside Stocktake's orders.
@Suite struct AdjustmentTests {
    @Test("stock adjust counts units as sold, waits for the result, and the adjustment is permanent")
    func adjust() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let adjusted = try await shop.succeed(
            "stock", "adjust", "OTHER", "GREEN", "--sold", "+3", "--reason", "sold at a fair", "--id", "fair")
        #expect(adjusted.contains("recorded as fair, seq 1: GREEN 3 sold, 0 left"))
        // The adjustment counts although it exceeds the cap; no further unit is sold.
        try await shop.publish([SequentialModel.Order("o", ("OTHER", "GREEN", 1)).message])
        try await shop.waitForOrders(1)
        #expect(try shop.value("SELECT status FROM orders") == "refused")
        // The same id again changes nothing; the same id with another quantity is a conflict.
        try await shop.succeed(
            "stock", "adjust", "OTHER", "GREEN", "--sold", "3", "--reason", "sold at a fair", "--id", "fair")
        let other = try await shop.run(
            ["stock", "adjust", "OTHER", "GREEN", "--sold", "7", "--reason", "x", "--id", "fair"])
        #expect(other.status == 1)
        #expect(other.errors.contains("adjustment_conflict") && other.errors.contains("Nothing was sent."))
        try await shop.succeed("stock", "adjust", "OTHER", "GREEN", "--sold", "-2", "--reason", "found again")
        let tooMuch = try await shop.run(["stock", "adjust", "OTHER", "GREEN", "--sold", "-2", "--reason", "more"])
        #expect(tooMuch.status == 1)
        #expect(tooMuch.errors.contains("adjustment_too_large"))
        let listed = try await shop.succeed("adjustments", "list")
        #expect(listed.contains("fair") && listed.contains("+3") && listed.contains("-2"))
        #expect(try shop.value("SELECT sold_quantity FROM variants WHERE id = 'GREEN'") == "1")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("A command that the ledger shows to be wrong is not sent, and the likely correction is suggested")
    func refusedBeforeSending() async throws {
        let shop = try await Shop()
        let rows = [
            (["LAMPP", "--sold", "5"], "unknown_product", #"did you mean "LAMP"?"#),
            (["OTHER", "GREN", "--sold", "5"], "unknown_variant", #"did you mean "GREEN"?"#),
            (["CUBE", "GREEN", "--sold", "5"], "variant_of_another_product", #"belongs to product "OTHER""#),
            (["CUBE", "--sold", "5"], "variant_required", #"product "CUBE" has variants"#),
            (["RED", "--sold", "5"], "unknown_product", #"it is a variant of product "CUBE""#),
            (["LAMP", "--sold", "-1"], "adjustment_too_large", "more than the 0 units"),
        ]
        for (arguments, reason, said) in rows {
            let refused = try await shop.run(["stock", "adjust"] + arguments + ["--reason", "x"])
            #expect(refused.status == 1)
            #expect(
                refused.errors.contains("not adjusted: \(reason): ") && refused.errors.contains(said),
                "\(refused.errors)")
            #expect(refused.errors.hasSuffix("Nothing was sent.\n"))
        }
        #expect(try await shop.redis.command("EXISTS", shop.keys.checkouts).int == 0)
    }

    @Test("After a doubtful outcome the printed command repeats the adjustment, which counts once")
    func doubtfulAnswer() async throws {
        let shop = try await Shop()
        // From the command's view the message may have been stored: the connection closes instead of a reply.
        let fake = try await FakeServer.start { _, command in
            command.first == "XADD" ? .close(after: "") : .answer("-ERR unknown\r\n")
        }
        let arguments = ["stock", "adjust", "LAMP", "--sold", "2", "--reason", "it's a gift"]
        let failed = try await shop.run(
            arguments, environment: ["STOCKTAKE_REDIS_URL": "unix://\(Self.path(of: fake))"])
        #expect(failed.status == 2)
        #expect(fake.count(of: "XADD") == 1)
        let id = try #require(failed.errors.firstMatch(of: #/sending (adj-[0-9a-f]+)\n/#)?.1)
        #expect(failed.errors.contains("perhaps sent"), "\(failed.errors)")
        let command = try #require(failed.errors.firstMatch(of: #/counts only once: (.*)\n/#)?.1)
        #expect(command.hasSuffix("stock adjust --id \(id) LAMP --sold 2 --reason 'it'\\''s a gift'"), "\(command)")
        // The message had reached the stream.
        try await shop.publish([
            #"{"type":"stock.adjusted","payload":{"adjustment_id":"\#(id)","product_id":"LAMP","sold":2,"reason":"x"}}"#
        ])
        let consumer = try await shop.startConsumer()
        try await eventually("the first") { try shop.count("adjustments") == 1 }
        let repeated = try shop.start([], under: ["sh", "-c", String(command)])
        #expect(try await repeated.waitForEnding(within: .seconds(30)) == .exited(0))
        #expect(repeated.standardOutput.contains("recorded as \(id), seq 1: LAMP 2 sold"), "\(repeated.standardError)")
        #expect(try await consumer.stop() == .exited(0))
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "2")
        try await shop.expectConsistent()
    }

    private static func path(of server: FakeServer) -> String {
        server.url.description.replacing("unix://", with: "")
    }

    @Test("A message that was certainly not sent is reported as such, without its password")
    func notSent() async throws {
        let shop = try await Shop()
        let url = "unix:///nowhere/redis.sock?password=secret"
        for argument in [["--redis-url", url], ["--redis-url=\(url)"]] {
            let failed = try await shop.run(["stock", "adjust", "LAMP", "--sold", "2", "--reason", "x"] + argument)
            #expect(failed.status == 2)
            #expect(failed.errors.contains("was not sent") && failed.errors.contains("--id adj-"), "\(failed.errors)")
            #expect(!failed.errors.contains("secret"))
        }
    }

    @Test("dead-letters list shows the type, and the ids of adjustments and cancellations")
    func listedDeadLetters() async throws {
        let shop = try await Shop()
        try await shop.publish([
            #"{"type":"stock.adjusted","payload":{"adjustment_id":"fair-7","product_id":"LAMP","sold":0,"reason":"x"}}"#,
            #"{"type":"order.cancelled","payload":{"cancellation_id":"re_7"}}"#,
            #"{"type":"order.cancelled","payload":{"cancellation_id":"re_8","order_id":"cs_8"}}"#,
            #"{"type":"other\n","payload":{"adjustment_id":"fair-8"}}"#,
        ])
        try await shop.consumeAll()
        let rows = try await shop.succeed("dead-letters", "list").split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        #expect(rows[0].prefix(5) == ["ID", "STATUS", "TYPE", "REASON", "ORDER"])
        #expect(
            rows[1...].map { Array($0[2..<5]) } == [
                [#"other\n"#, "unknown_type", "fair-8"], ["order.cancelled", "unknown_order", "cs_8"],
                ["order.cancelled", "missing_field", "re_7"], ["stock.adjusted", "invalid_value", "fair-7"],
            ], "\(rows)")
    }

    @Test("Without a consumer stock adjust says so; the next consumer records the adjustment")
    func withoutConsumer() async throws {
        let shop = try await Shop()
        let sent = try await shop.succeed("stock", "adjust", "LAMP", "--sold", "2", "--reason", "samples")
        #expect(sent.contains("recorded once a consumer processes it"))
        try await shop.consumeAll()
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "2")
        try await shop.expectConsistent()
    }

    @Test(
        "Invalid usage is rejected before anything is sent",
        arguments: [["--sold", "0", "--reason", "x"], ["--sold", "2000000000", "--reason", "x"], ["--sold", "1"]])
    func usage(_ arguments: [String]) async throws {
        let shop = try await Shop()
        #expect(try await shop.run(["stock", "adjust", "LAMP"] + arguments).status == 64)
    }
}
