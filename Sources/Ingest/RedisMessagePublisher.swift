import RedisClient
import RedisLayout

package struct RedisMessagePublisher: MessagePublisher {
    private let keys: StoreKeys
    private let client: RedisClient

    package init(_ keys: StoreKeys, _ client: RedisClient) {
        self.keys = keys
        self.client = client
    }

    package func publish(_ fields: [StreamEntry.Field]) async throws -> String {
        try await client.send(StreamWriter.add(fields, to: keys)).string ?? ""
    }

    package func isWaiting(_ entry: String) async throws -> Bool {
        try await StreamWriter.isWaiting(entry, keys: keys, client: client)
    }
}
