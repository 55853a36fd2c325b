import Domain

/// The counters that decide commands, and the data stored with them, as the consumer uses them: Redis or a simulation.
///
/// Errors: those of the backend. `RedisError` states whether a retry may succeed (`mayPass`) and whether the command
/// may have been executed (`mayHaveExecuted`); any other error is permanent.
package protocol Gate: Sendable {
    /// The server as messages name it: a URL without its password.
    var name: String { get }
    /// How many connections have been made. If the number has changed, the server may have restarted or been replaced,
    /// and may have lost its latest writes.
    var connection: Int { get }

    /// Returns once the server has answered a command that does nothing.
    func reach() async throws

    /// Identity, epoch and seq of the counters as they are now; cheap enough for once a second.
    func head() async throws -> CounterHead

    /// Decides a batch in one atomic step: the counters are changed by the commands that fit, in their order.
    ///
    /// After an error that means the batch may have been decided, the counters are unknown until a new epoch.
    func decide(_ commands: [PlannedCommand], epoch: Int64, seq: Int64) async throws -> GateResult

    /// Replaces the old counters with those of a new epoch, atomically. After an error the next epoch must be tried:
    /// this one may have been installed.
    func install(_ installation: Installation) async throws -> InstallResult

    /// Writes down how far the ledger is, acknowledges, announces. Repeating it is harmless.
    /// - Parameter keepOutcomes: about how many outcomes are kept.
    func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeResult

    /// Whether it refuses writes for lack of memory.
    func isFull() async throws -> Bool

    /// What was delivered to the consumer group and is not acknowledged.
    func pending() async throws -> PendingSummary

    /// The server that the connection leads to.
    func server() async throws -> GateServer

    /// Makes the connection again.
    func reconnect(because reason: String)

    func close() async
}

/// What the stream keeper asks of Redis: it keeps the streams short, and counts what is lost.
package protocol StreamUpkeep: Sendable {
    /// Drops processed messages and outcomes that need not stay, but no message that is unread or pending.
    func trim(_ retention: Retention) async throws -> TrimReport

    /// The oldest message of the stream, or, when it holds none, the last one that it has held.
    func oldestMessage() async throws -> StreamID?

    /// Whether writes are refused for lack of memory, or would be with a little more.
    func isShortOfMemory() async throws -> Bool

    /// What earlier looks for lost messages have found.
    func lostMessages() async throws -> LostMessages

    /// Counts the messages that are missing from the stream, if nothing is unread at the moment.
    func checkForLostMessages() async throws -> LostMessages

    /// Removes consumers of the group that have nothing pending, but not `consumer`.
    /// - Returns: how many were removed.
    func removeIdleConsumers(except consumer: String) async throws -> Int64
}

/// What a server says about itself.
package struct GateServer: Sendable {
    /// Changes with each start. Here and below, nil: the server does not report it.
    package var runID: String?
    /// "7.2.4".
    package var version: String?
    /// What the server does when its memory is full (`maxmemory-policy`): "noeviction".
    package var evictionPolicy: String?
    /// Whether the append-only file is enabled. Without it a restart loses what was written since the last snapshot.
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
