import Domain

/// The operations of Redis that the consumer uses to keep the streams short and to count lost messages.
package protocol StreamUpkeep: Sendable {
    /// Drops processed messages and outcomes that need not be kept, but no message that is unread or pending.
    func trim(_ retention: Retention) async throws -> TrimReport

    /// Returns the oldest message of the stream or, if the stream is empty, the last message that it contained.
    func oldestMessage() async throws -> StreamID?

    /// Returns whether writes are refused for lack of memory, or soon will be.
    func isShortOfMemory() async throws -> Bool

    /// Returns the results of earlier checks for lost messages.
    func lostMessages() async throws -> LostMessages

    /// Counts the messages that are missing from the stream, if no message is unread at the moment.
    func checkForLostMessages() async throws -> LostMessages

    /// Removes the group's consumers that have nothing pending, except `consumer`.
    /// - Returns: how many were removed.
    func removeIdleConsumers(except consumer: String) async throws -> Int64
}
