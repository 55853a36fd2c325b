import RedisClient
import TestSupport
import Testing

/// A Redis whose memory is filled by the messages themselves.
@Suite(.serialized) struct FullRedisTests {
    /// Publishes orders until Redis refuses one.
    /// - Returns: How many orders it accepted.
    private func fill(_ shop: Shop) async throws -> Int {
        let used = try await shop.redis.command("INFO", "memory").info["used_memory"].flatMap { Int($0) } ?? 0
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "\(used + 12 << 20)")
        let padding = String(repeating: "x", count: 4_000)
        let client = shop.redis.client()
        var published = 0
        do {
            while true {
                _ = try await client.send(order(published, padding, shop))
                published += 1
            }
        } catch RedisError.reply(let error, _) where error.code == "OOM" {}
        await client.close()
        return published
    }

    private func order(_ number: Int, _ padding: String, _ shop: Shop) -> RedisCommand {
        RedisCommand(
            "XADD", shop.keys.checkouts, "*", "type", "checkout.completed", "payload",
            #"{"order_id":"full-\#(number)","note":"\#(padding)","items":[{"product_id":"PANEL","quantity":1,"unit_price":1}]}"#
        )
    }

    @Test("A full Redis is drained and trimmed by a first consumer with default settings, and takes messages again")
    func drained() async throws {
        let shop = try await Shop()
        let published = try await fill(shop)
        #expect(published > 1_000)
        let start = ContinuousClock.now
        // There is no consumer group, and no epoch has ever been opened.
        let consumer = try await shop.startConsumer()
        try await eventually(within: .seconds(30), "a message that Redis takes") {
            do {
                _ = try await shop.redis.command(
                    "XADD", shop.keys.checkouts, "*", "type", "stock.adjusted", "payload",
                    #"{"adjustment_id":"late","product_id":"PANEL","sold":1,"reason":"r"}"#)
                return true
            } catch RedisError.reply(let error, _) where error.code == "OOM" {
                return false
            }
        }
        #expect(ContinuousClock.now - start < .seconds(30))
        try await shop.waitForOrders(published)
        try await eventually("the late message") { try shop.count("adjustments") == 1 }
        // The messages that filled it are trimmed, and the log says from which time a restore can read.
        try await eventually("a short stream") {
            try await shop.redis.command("XLEN", shop.keys.checkouts).int ?? 0 < Int64(published)
        }
        let warning = try await consumer.waitForLine(containing: "redis is full: processed messages are dropped")
        #expect(warning.contains("restore_reads_from=20"), "\(warning)")
        try await consumer.waitForLine(containing: "redis has room again", within: .seconds(30))
        #expect(try await consumer.stop() == .exited(0))
        let warnings = consumer.standardError.split(separator: "\n").count { $0.contains("dropped early") }
        #expect(warnings == 1)
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "0")
        try await shop.expectConsistent()
    }

    @Test("A failure to trim the stream is logged once, and the stream is trimmed as soon as it may be")
    func notTrimmed() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.consumeAll()
        _ = try await shop.redis.command("ACL", "SETUSER", "default", "-xtrim")
        let consumer = try shop.start(
            ["consume", "--keep-messages-s", "0"], environment: ["STOCKTAKE_OPERATOR_PORT": "0"])
        let warning = try await consumer.waitForLine(containing: "the stream cannot be trimmed")
        #expect(warning.contains("ACL SETUSER"), "\(warning)")
        _ = try await shop.redis.command("ACL", "SETUSER", "default", "+xtrim")
        try await eventually(within: .seconds(30), "a short stream") {
            try await shop.redis.command("XLEN", shop.keys.checkouts).int == 1
        }
        #expect(try await consumer.stop() == .exited(0))
        #expect(consumer.standardError.split(separator: "\n").count { $0.contains("cannot be trimmed") } == 1)
    }
}
