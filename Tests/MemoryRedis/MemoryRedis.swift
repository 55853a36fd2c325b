import Concurrency
import Counters
import Ingest
import Domain
import RedisClient
import Synchronization

/// Redis in memory, shared by all its connections, with faults that a test injects.
package final class MemoryRedis: Sendable {
    /// How a command fails.
    package enum Fault: Sendable {
        /// The command was not executed.
        case before(RedisError)
        /// The command was executed, and its reply was lost.
        case after(RedisError)
    }

    private let tables = Mutex(MemoryRedisTables())
    private let waiting = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])
    private let waits = Atomic(0)
    private let clock: @Sendable () -> Int64
    private let fault: @Sendable (_ command: String) -> Fault?

    /// - Parameters:
    ///   - clock: returns the time in milliseconds since 1970.
    ///   - fault: called for each command; nil means that the command succeeds.
    package init(
        clock: @escaping @Sendable () -> Int64 = { SystemClock.milliseconds() },
        fault: @escaping @Sendable (_ command: String) -> Fault? = { _ in nil }
    ) {
        self.clock = clock
        self.fault = fault
    }

    /// Reads or changes the data directly, without a connection.
    package func withTables<T>(_ body: (inout MemoryRedisTables) throws -> T) rethrows -> T {
        try tables.withLock { try body(&$0) }
    }

    private func run<T>(_ body: (inout MemoryRedisTables, Int64) -> T) -> T {
        let time = clock()
        let result = withTables { body(&$0, time) }
        for continuation in waiting.withLock({ Array($0.values) }) { continuation.yield() }
        return result
    }

    func run<T>(_ command: String, _ body: (inout MemoryRedisTables, Int64) -> T) throws -> T {
        switch fault(command) {
        case .before(let error): throw error
        case .after(let error):
            _ = run(body)
            throw error
        case nil: return run(body)
        }
    }

    /// Returns after a write, after the time limit, or when the task is cancelled.
    func wait(_ duration: Duration, unless isDone: () -> Bool) async {
        let number = waits.add(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        waiting.withLock { $0[number] = continuation }
        defer { waiting.withLock { _ = $0.removeValue(forKey: number) } }
        if isDone() { return }
        let timeout = Task {
            try? await Task.sleep(for: duration)
            continuation.finish()
        }
        defer { timeout.cancel() }
        for await _ in stream { break }
    }
}

/// A consumer's connections to a Redis in memory, with all operations that the consumer uses.
package final class MemoryRedisConnection: Gate, StreamUpkeep, MessageSource, MessagePublisher {
    private struct Reading {
        var isConnected = false
        /// nil means that all pending entries were claimed.
        var claimed: StreamID??
        var endsWait = false
    }

    private let redis: MemoryRedis
    private let ledger: String
    private let maximumCount: Int
    private let reading = Mutex(Reading())
    private let connections = Atomic(1)

    package let name = "memory"

    /// - Parameter ledger: the ledger's identity.
    package init(_ redis: MemoryRedis, ledger: String, maximumCount: Int = 1_024) {
        self.redis = redis
        self.ledger = ledger
        self.maximumCount = maximumCount
    }

    // MARK: - Gate

    package var connection: Int { connections.load(ordering: .relaxed) }

    package func reach() async throws { try redis.run("PING") { _, _ in } }

    package func head() async throws -> CounterHead {
        try redis.run("HMGET") { tables, _ in tables.counters?.head ?? CounterHead() }
    }

    package func decide(_ commands: [PlannedCommand], epoch: Int64, seq: Int64) async throws -> GateResult {
        try redis.run("gate") { tables, _ in tables.decide(commands, of: ledger, epoch: epoch, seq: seq) }
    }

    package func install(_ installation: Installation) async throws -> InstallResult {
        try redis.run("install") { tables, _ in tables.install(installation, of: ledger) }
    }

    package func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeResult {
        try redis.run("acknowledge") { tables, _ in
            tables.acknowledge(acknowledgement, of: ledger, keepOutcomes: keepOutcomes)
        }
    }

    package func isFull() async throws -> Bool { try redis.run("writable") { tables, _ in tables.isFull } }

    package func pending() async throws -> PendingSummary { try redis.run("XPENDING") { tables, _ in tables.pending } }

    package func server() async throws -> GateServer {
        try redis.run("INFO") { _, _ in
            GateServer(runID: "memory", version: "8.0", evictionPolicy: "noeviction", hasAppendOnlyFile: true)
        }
    }

    package func reconnect(because reason: String) { connections.add(1, ordering: .relaxed) }

    package func close() async { reading.withLock { $0.isConnected = false } }

    // MARK: - Upkeep

    package func trim(_ retention: Retention) async throws -> TrimReport {
        try redis.run("trim") { tables, time in tables.trim(retention, at: time) }
    }

    package func oldestMessage() async throws -> StreamID? {
        try redis.run("XINFO") { tables, _ in tables.oldestMessage }
    }

    package func isShortOfMemory() async throws -> Bool { try await isFull() }

    package func lostMessages() async throws -> LostMessages {
        try redis.run("HMGET") { tables, _ in tables.lostMessages }
    }

    package func checkForLostMessages() async throws -> LostMessages {
        try redis.run("lost") { tables, _ in tables.checkForLostMessages() }
    }

    /// Returns 0, because the group does not keep its consumers by name.
    package func removeIdleConsumers(except consumer: String) async throws -> Int64 { 0 }

    // MARK: - The stream

    package func connect() async throws {
        try redis.run("CONNECT") { _, _ in }
        reading.withLock { $0 = Reading(isConnected: true, claimed: .some(nil)) }
    }

    package func startOver() async { reading.withLock { $0.claimed = .some(nil) } }

    package func next(block: Duration) async throws -> Delivery {
        guard reading.withLock({ $0.isConnected }) else {
            throw RedisError.notSent(to: name, reason: "the reader is not connected")
        }
        do {
            return try await read(block: block)
        } catch {
            reading.withLock { $0.isConnected = false }
            throw error
        }
    }

    private func read(block: Duration) async throws -> Delivery {
        if let last = reading.withLock({ $0.claimed }) {
            let delivery = try redis.run("XAUTOCLAIM") { tables, _ in tables.claim(maximumCount, after: last) }
            let end = delivery.entries.last.flatMap { StreamID($0.id) } ?? last
            reading.withLock { $0.claimed = delivery.isFull ? .some(end) : nil }
            return delivery
        }
        let isReady: @Sendable () -> Bool = { [self] in
            reading.withLock { $0.endsWait } || redis.withTables { $0.hasUnread }
        }
        if block > .zero, !isReady() { await redis.wait(block, unless: isReady) }
        reading.withLock { $0.endsWait = false }
        return try redis.run("XREADGROUP") { tables, _ in tables.read(maximumCount) }
    }

    package func endWait() async {
        reading.withLock { $0.endsWait = true }
        try? redis.run("CLIENT UNBLOCK") { _, _ in }
    }

    package func server() async -> ConnectedServer? { ConnectedServer(id: "memory", connection: 1) }

    package func reconnect(because reason: String) async { reading.withLock { $0.isConnected = false } }

    package func publish(_ fields: [StreamEntry.Field]) async throws -> String {
        try redis.run("XADD") { tables, time in tables.publish(fields, at: time) }
    }

    package func isWaiting(_ entry: String) async throws -> Bool {
        try redis.run("XRANGE") { tables, _ in tables.isWaiting(entry) }
    }
}
