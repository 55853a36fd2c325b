/// Adds messages to the stream. Sending a message twice is harmless: the consumer recognises it by its id and content.
package protocol MessagePublisher: Sendable {
    /// Adds a message.
    /// - Returns: the id of the new entry.
    func publish(_ fields: [StreamEntry.Field]) async throws -> String

    /// Returns whether an entry is on the stream and not processed yet: unread or pending.
    func isWaiting(_ entry: String) async throws -> Bool
}
