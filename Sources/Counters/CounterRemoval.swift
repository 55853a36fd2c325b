import Domain
import RedisClient
import RedisLayout

/// Removes the data that a store's last ledger left in Redis.
package struct CounterRemoval: Sendable {
    private let keys: StoreKeys
    private let client: RedisClient

    package init(_ keys: StoreKeys, _ client: RedisClient) {
        self.keys = keys
        self.client = client
    }

    /// Removes the last ledger's progress from Redis: the next consumer installs its own counters and reads the stream
    /// from the beginning. Each step may be repeated.
    ///
    /// Errors: `RedisError`.
    package func startOver() async throws {
        // Lost messages are counted through the group, which is deleted below. If counting fails, they stay uncounted.
        _ = try? await LostMessages.check(keys, client)
        // The next consumer creates the group again at the beginning of the stream, which also contains the pending
        // entries.
        let reply = try await client.pipeline([RedisCommand("XGROUP", "DESTROY", keys.checkouts, StoreKeys.group)])
        if case .error(let error)? = reply.first, !error.message.contains("requires the key to exist") {
            throw RedisError.reply(error, command: "XGROUP DESTROY")
        }
        _ = try await client.send(RedisCommand("UNLINK", keys.stock))
    }

    /// Removes the counters of the ledger with this identity; those of another ledger are kept.
    ///
    /// Errors: `RedisError`, `CountersError`.
    package func removeCounters(of identity: String) async throws {
        guard try await CounterHead.read(keys, client).ledger == identity else { return }
        _ = try await client.send(RedisCommand("UNLINK", keys.stock, keys.intake))
    }
}
