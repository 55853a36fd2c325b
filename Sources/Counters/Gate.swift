import Inventory

/// The counters that decide, with what else is kept beside them, as the consumer uses them: Redis, or a simulation.
///
/// Errors: those of the backend. `RedisError` says by itself whether waiting helps and whether a command may have been
/// executed; any other error is final.
package protocol Gate: Sendable {
    /// As messages call it: a URL without its password.
    var name: String { get }
    /// Counts the connections. Behind another number the latest writes may be lost.
    var connection: Int { get }

    /// Returns once it answers.
    func reach() async throws

    /// Identity, epoch and seq of the counters as they are now; cheap enough for once a second.
    func head() async throws -> CounterHead

    /// Decides a batch in one atomic step: the counters are changed by the commands that fit, in their order.
    ///
    /// After an error that means the batch may have been decided, the counters are unknown until a new epoch.
    func decide(_ commands: [PlannedCommand], epoch: Int64, seq: Int64) async throws -> GateAnswer

    /// Replaces the old counters with those of a new epoch, atomically. After an error the next epoch must be tried:
    /// this one may have been installed.
    func install(_ installation: Installation) async throws -> InstallAnswer

    /// Writes down how far the ledger is, acknowledges, announces. Repeating it is harmless.
    /// - Parameter keepOutcomes: about how many outcomes are kept.
    func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeAnswer

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
    func oldestMessage() async throws -> EntryPosition?

    /// Whether writes are refused for lack of memory, or would be with a little more.
    func isShortOfMemory() async throws -> Bool

    /// What earlier looks for lost messages have found.
    func lostMessages() async throws -> LostMessages

    /// Counts the messages that are missing from the stream, if nothing is unread at the moment.
    func lookForLostMessages() async throws -> LostMessages

    /// Removes consumers of the group that have nothing pending, but not `consumer`.
    /// - Returns: how many were removed.
    func removeIdleConsumers(except consumer: String) async throws -> Int64
}

/// What a server says about itself.
package struct GateServer: Sendable {
    /// Changes with each start; nil: it does not say.
    package var runID: String?
    package var version: String?
    /// What it does when its memory is full.
    package var evictionPolicy: String?
    /// Whether it forgets at a restart what was not saved; nil: it does not say.
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
