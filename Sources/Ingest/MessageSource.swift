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
