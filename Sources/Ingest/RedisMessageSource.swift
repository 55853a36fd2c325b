import RedisClient

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
