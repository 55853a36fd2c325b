import Domain
import RedisClient

extension CounterStore: Gate {
    private var client: RedisClient { scripts.client }

    package var name: String { client.url.redacted }

    package var connection: Int { client.generation }

    package func reach() async throws { _ = try await client.send(RedisCommand("PING")) }

    package func isFull() async throws -> Bool { try await isRedisFull() }

    package func pending() async throws -> PendingSummary { try await PendingSummary.read(keys, client) }

    package func server() async throws -> GateServer {
        let info = try await client.send(RedisCommand("INFO")).info
        return GateServer(
            runID: info["run_id"], version: info["redis_version"], evictionPolicy: info["maxmemory_policy"],
            hasAppendOnlyFile: info["aof_enabled"].map { $0 != "0" })
    }

    package func reconnect(because reason: String) { client.reconnect(because: reason) }

    package func close() async { await client.close() }
}

extension CounterStore: StreamUpkeep {
    package func lostMessages() async throws -> LostMessages { try await LostMessages.read(keys, scripts.client) }
}
