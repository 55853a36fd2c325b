import Domain

/// The counters that decide commands, and the data stored with them, as the consumer uses them: in Redis or in a
/// simulation.
///
/// Errors are those of the backend. `RedisError` states whether a retry may succeed (`mayPass`) and whether the command
/// may have been executed (`mayHaveExecuted`); any other error is permanent.
package protocol Gate: Sendable {
    /// The server's name in messages: a URL without its password.
    var name: String { get }
    /// The number of connections made. If it has changed, the server may have restarted or been replaced, and may have
    /// lost its latest writes.
    var connection: Int { get }

    /// Returns once the server has replied to a command that does nothing.
    func reach() async throws

    /// Returns the counters' current identity, epoch and seq; cheap enough to call once a second.
    func head() async throws -> CounterHead

    /// Decides a batch in one atomic step: the commands that fit change the counters, in order.
    ///
    /// After an error that means that the batch may have been decided, the counters are unknown until a new epoch.
    func decide(_ commands: [PlannedCommand], epoch: Int64, seq: Int64) async throws -> GateResult

    /// Replaces the old counters with those of a new epoch, atomically. After an error the caller must try the next
    /// epoch: this one may have been installed.
    func install(_ installation: Installation) async throws -> InstallResult

    /// Stores the ledger's progress, acknowledges messages, and announces outcomes and changes. Safe to repeat.
    /// - Parameter keepOutcomes: approximately how many outcomes are kept.
    func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeResult

    /// Returns whether the server refuses writes for lack of memory.
    func isFull() async throws -> Bool

    /// Returns the entries that were delivered to the consumer group and are not acknowledged.
    func pending() async throws -> PendingSummary

    /// Returns the connected server.
    func server() async throws -> GateServer

    /// Reconnects to the server.
    func reconnect(because reason: String)

    func close() async
}
