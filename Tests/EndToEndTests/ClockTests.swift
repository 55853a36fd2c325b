import RedisClient
import TestSupport
import Testing

/// Message ids that are ahead of the clock because Redis' clock was ahead for a while.
@Suite(.serialized) struct ClockTests {
    /// In the year 2100.
    private static let future = 4_102_444_800_000

    @Test("Messages whose ids are ahead of the clock are trimmed by their age in the stream, and reported")
    func idsAhead() async throws {
        let shop = try await Shop()
        for order in SequentialModel.rush.prefix(30) {
            let frame = order.message
            let payload = try #require(frame.range(of: #""payload":"#)).upperBound
            _ = try await shop.redis.command(
                "XADD", shop.keys.checkouts, "\(Self.future)-*", "type", "checkout.completed", "payload",
                String(frame[payload...].dropLast()))
        }
        let consumer = try await shop.startConsumer("--keep-messages-s", "1")
        try await shop.waitForOrders(30)
        try await consumer.waitForLine(containing: "ahead of redis' clock", within: .seconds(20))
        let doctor = try await shop.run(["doctor"])
        #expect(doctor.output.contains("s ahead of Redis' clock"), "\(doctor.output)")
        try await eventually(within: .seconds(40), "a trimmed stream") {
            try await shop.redis.command("XLEN", shop.keys.checkouts).int == 1
        }
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: Array(SequentialModel.rush.prefix(30)))
    }
}
