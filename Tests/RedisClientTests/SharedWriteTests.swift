import RedisClient
import TestSupport
import Testing

/// Commands of several tasks that go in one write.
@Suite("A shared write")
struct SharedWriteTests {
    private func withClients(_ body: (RedisClient, RedisClient) async throws -> Void) async throws {
        try await withRedisServer { server async throws in
            let (client, other) = (server.client(), server.client())
            try await client.waitUntilConnected()
            try await body(client, other)
            await client.close()
            await other.close()
        }
    }

    @Test("sends a command only when the other one has come, and then both, each with its own reply")
    func both() async throws {
        try await withClients { client, other async throws in
            let (first, second) = SharedWrite.ofTwo()
            async let one = client.send(RedisCommand("INCR", "a"), as: first)
            // What is sent now over the same connection is not held up by it.
            #expect(try await client.send(RedisCommand("GET", "a")) == .null)
            let two = try await client.send(RedisCommand("INCRBY", "a", "10"), as: second)
            let replies = [try await one, two]
            #expect(replies == [.integer(1), .integer(11)] || replies == [.integer(11), .integer(10)])
            #expect(try await other.send(RedisCommand("GET", "a")).string == "11")
        }
    }

    @Test("does not wait for a command that will not come, in whatever way that ends")
    func leaving() async throws {
        try await withClients { client, _ async throws in
            let (first, second) = SharedWrite.ofTwo()
            async let one = client.send(RedisCommand("INCR", "a"), as: first)
            second.leave()
            second.leave()
            #expect(try await one == .integer(1))
            // Once it has left, or was sent, a command goes alone: when it is sent again, say.
            #expect(try await client.send(RedisCommand("INCR", "a"), as: second) == .integer(2))
            #expect(try await client.send(RedisCommand("INCR", "a"), as: first) == .integer(3))
        }
    }

    @Test("does not wait for one that cannot be sent, or whose task is cancelled before")
    func failing() async throws {
        try await withClients { client, closed async throws in
            await closed.close()
            let (first, second) = SharedWrite.ofTwo()
            async let one = client.send(RedisCommand("INCR", "a"), as: first)
            await #expect(throws: RedisError.self) { try await closed.send(RedisCommand("INCR", "a"), as: second) }
            #expect(try await one == .integer(1))
            let (third, fourth) = SharedWrite.ofTwo()
            async let three = client.send(RedisCommand("INCR", "a"), as: third)
            let cancelled = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.send(RedisCommand("INCR", "a"), as: fourth)
            }
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(try await three == .integer(2))
        }
    }
}
