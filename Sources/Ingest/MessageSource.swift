import Domain
import RedisClient
import RedisLayout

/// The stream of messages as the consumer reads it: first all pending entries, whichever consumer they were delivered
/// to, then new entries, in the order of their ids.
///
/// Only one call of `next` may be in progress. Errors are those of `Gate`; after an error, `connect` must be called,
/// because entries may have been delivered to a closed connection. All entries that a caller holds were read over one
/// connection.
package protocol MessageSource: Sendable {
    /// Connects, and restarts reading at the first pending entry. The caller must have finished every entry it has
    /// received.
    func connect() async throws

    /// Restarts reading at the first pending entry, over the same connection. The caller must have finished every entry
    /// it has received: pending entries that it still holds would be delivered twice.
    func startOver() async

    /// Returns the next entries. When no pending entries are left, waits up to `block` for new ones; zero does not
    /// wait.
    func next(block: Duration) async throws -> Delivery

    /// Makes a `next` that is waiting for new entries return early. It still delivers entries that have arrived.
    func endWait() async

    /// Returns the connected server, or nil if there is none or it does not identify itself.
    func server() async -> ConnectedServer?

    /// Makes the next read use a new connection; a blocked read fails.
    func reconnect(because reason: String) async

    func close() async
}

/// Adds messages to the stream. Sending a message twice is harmless: the consumer recognises it by its id and content.
package protocol MessagePublisher: Sendable {
    /// Adds a message.
    /// - Returns: the id of the new entry.
    func publish(_ fields: [StreamEntry.Field]) async throws -> String

    /// Returns whether an entry is on the stream and not processed yet: unread or pending.
    func isWaiting(_ entry: String) async throws -> Bool
}

/// Reads over a dedicated connection, because a blocking read would delay every command behind it.
package struct RedisMessageSource: MessageSource {
    private let reader: StreamReader
    private let reading: RedisClient
    /// The connection used to unblock a read.
    private let other: RedisClient

    package init(_ reader: StreamReader, over reading: RedisClient, beside other: RedisClient) {
        self.reader = reader
        self.reading = reading
        self.other = other
    }

    package func connect() async throws { try await reader.connect() }

    package func startOver() async { await reader.startOver() }

    package func next(block: Duration) async throws -> Delivery { try await reader.next(block: block) }

    package func endWait() async { await reader.endWait(over: other) }

    package func server() async -> ConnectedServer? { await reader.server }

    package func reconnect(because reason: String) async { await reader.reconnect(because: reason) }

    package func close() async { await reading.close() }
}

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
