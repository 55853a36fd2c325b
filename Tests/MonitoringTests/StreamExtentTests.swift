import Counters
import Domain
import Monitoring
import RedisClient
import RedisLayout
import TestSupport
import Testing

@Suite("The extent of the stream")
struct StreamExtentTests {
    private let keys = StoreKeys(store: "main")

    @Test("is known even if the first or the last message is too large to be sent")
    func largeEntries() async throws {
        try await withRedisServer { server async throws in
            var options = RedisOptions()
            options.maximumReplyBytes = 100_000
            let client = server.client(options)
            #expect(try await StreamExtent.read(keys, client) == nil)
            try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0", "MKSTREAM")
            let empty = try #require(try await StreamExtent.read(keys, client))
            #expect(empty.length == 0 && empty.first == nil && empty.added == 0)
            for id in ["5-1", "6-0", "7-2"] {
                try await server.command(
                    "XADD", keys.checkouts, id, "payload", String(repeating: "x", count: id == "6-0" ? 1 : 300_000))
            }
            try await server.command("XDEL", keys.checkouts, "6-0")
            let extent = try #require(try await StreamExtent.read(keys, client))
            #expect(extent.first == StreamID("5-1") && extent.last == StreamID("7-2"))
            #expect(extent.length == 2 && extent.added == 3)
            // Missing entries are reported: before the first, in between and after the last.
            let asked = ["4-0", "5-1", "6-0", "7-2", "8-0"].compactMap { StreamID($0) }
            let absent = try await StreamExtent.absent(of: asked, keys, client).map(\.text)
            #expect(absent.sorted() == ["4-0", "6-0", "8-0"])
            // A check of the store is not held up by the waiting message either.
            let group = try await GroupProgress.read(keys, client)
            let unread = try await WaitingMessages.unread(group, keys, client)
            #expect(unread.count >= 1 && unread.oldest == nil)
            await client.close()
        }
    }
}
