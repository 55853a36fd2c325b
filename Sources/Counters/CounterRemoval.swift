import Domain
import RedisClient
import RedisLayout

/// Removes from Redis what a store's last ledger has left there.
package struct CounterRemoval: Sendable {
    private let keys: StoreKeys
    private let client: RedisClient

    package init(_ keys: StoreKeys, _ client: RedisClient) {
        self.keys = keys
        self.client = client
    }

    /// Makes Redis forget how far the last ledger was: the next consumer installs its counters and reads the stream
    /// from the beginning. Each step may be repeated.
    ///
    /// Errors: `RedisError`.
    package func startOver() async throws {
        // Lost messages are counted by the group, which goes. If it cannot be asked, they stay uncounted.
        _ = try? await LostMessages.look(keys, client)
        // The next consumer creates the group again at the beginning; pending entries are in the stream as well.
        let reply = try await client.pipeline([RedisCommand("XGROUP", "DESTROY", keys.checkouts, StoreKeys.group)])
        if case .error(let error)? = reply.first, !error.message.contains("requires the key to exist") {
            throw RedisError.reply(error, command: "XGROUP DESTROY")
        }
        _ = try await client.send(RedisCommand("UNLINK", keys.stock))
    }

    /// Removes the counters of the ledger with this identity; those of another ledger are left alone.
    ///
    /// Errors: `RedisError`, `CountersError`.
    package func removeCounters(of identity: String) async throws {
        guard try await CounterHead.read(keys, client).ledger == identity else { return }
        _ = try await client.send(RedisCommand("UNLINK", keys.stock, keys.intake))
    }
}
