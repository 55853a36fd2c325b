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

/// The operations of Redis that the stream keeper uses to keep the streams short and to count lost messages.
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

/// The details that a server reports about itself.
package struct GateServer: Sendable {
    /// The id of the server's process, which changes on each start. Here and below, nil means that the server does not
    /// report the value.
    package var runID: String?
    /// For example "7.2.4".
    package var version: String?
    /// The server's behaviour when its memory is full (`maxmemory-policy`), for example "noeviction".
    package var evictionPolicy: String?
    /// Whether the append-only file is enabled. Without it a restart loses the writes since the last snapshot.
    package var hasAppendOnlyFile: Bool?

    package init(
        runID: String? = nil, version: String? = nil, evictionPolicy: String? = nil, hasAppendOnlyFile: Bool? = nil
    ) {
        self.runID = runID
        self.version = version
        self.evictionPolicy = evictionPolicy
        self.hasAppendOnlyFile = hasAppendOnlyFile
    }
}
