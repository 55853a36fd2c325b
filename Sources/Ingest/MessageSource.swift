import Domain
import RedisClient
import RedisLayout

/// The stream of messages as the consumer reads it: first everything pending, whichever consumer it was delivered to,
/// then new entries, in the order of their ids.
///
/// Only one call of `next` may be in progress. Errors: as `Gate`; after one, `connect` must be called, because entries
/// may have been delivered to a connection that is gone. All entries that a caller holds were read over one connection.
package protocol MessageSource: Sendable {
    /// Makes the connection, and starts over with what is pending. The caller must have finished everything it had
    /// received before.
    func connect() async throws

    /// Starts over with what is pending, over the same connection. The caller must have finished everything it had
    /// received before: pending entries that it still holds would be delivered twice.
    func startOver() async

    /// The next entries. Waits up to `block` for new ones once nothing pending is left; zero: does not wait.
    func next(block: Duration) async throws -> Delivery

    /// Makes a `next` that waits for new entries return early. It still delivers entries that have arrived.
    func endWait() async

    /// The server that the connection leads to; nil: there is none, or it does not say.
    func server() async -> ConnectedServer?

    /// Makes the next read use a new connection; a read that waits fails.
    func reconnect(because reason: String) async

    func close() async
}

/// Puts messages on the stream. Sending one twice is harmless: the consumer recognises it by its id and content.
package protocol MessagePublisher: Sendable {
    /// - Returns: the id of the new entry.
    func publish(_ fields: [StreamEntry.Field]) async throws -> String

    /// Whether an entry is on the stream and not processed yet: unread, or pending.
    func isWaiting(_ entry: String) async throws -> Bool
}

/// Reads over a dedicated connection: a blocking read would delay every command behind it.
package struct RedisMessageSource: MessageSource {
    private let reader: StreamReader
    private let reading: RedisClient
    /// The connection that unblocks a read.
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
