import Ingest
import Domain
import RedisClient
import RedisLayout
import TestSupport
import Testing

@Suite("Whether an entry waits")
struct StreamWriterTests {
    @Test("it does while it is unread or pending, but not once it is acknowledged or deleted")
    func waiting() async throws {
        try await withRedisServer { server async throws in
            let (client, keys) = (server.client(), StoreKeys(store: "main"))
            func isWaiting(_ entry: String) async throws -> Bool {
                try await StreamWriter.isWaiting(entry, keys: keys, client: client)
            }
            #expect(try await !isWaiting("1-0"))
            for id in ["1-0", "2-0", "3-0"] { try await server.command("XADD", keys.checkouts, id, "a", "b") }
            // Without a group nothing was read.
            #expect(try await isWaiting("1-0"))
            try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            #expect(try await isWaiting("1-0"))
            try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "c", "COUNT", "2", "STREAMS", keys.checkouts, ">")
            for id in ["1-0", "2-0", "3-0"] { #expect(try await isWaiting(id)) }
            try await server.command("XACK", keys.checkouts, StoreKeys.group, "1-0")
            try await server.command("XDEL", keys.checkouts, "2-0")
            #expect(try await !isWaiting("1-0"))
            // Pending, but deleted: it cannot be processed.
            #expect(try await !isWaiting("2-0"))
            #expect(try await isWaiting("3-0"))
            await client.close()
        }
    }
}
