import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A client that reconnects when its connection breaks.
///
/// The connection is opened by the first command, and again by the first one after it broke; concurrent callers share
/// the attempt. After a failed attempt there is no further one until a delay has passed
/// (`RedisOptions.reconnectDelay`): until then commands **fail at once** with the error of that attempt. Callers that
/// prefer to wait use `waitUntilConnected`; an HTTP request, for example, should fail rather than be delayed.
///
/// A command that may have been executed is never sent again. A command that was certainly not sent
/// (`RedisError.notSent`: the connection had just broken) is sent once more on a new connection.
package final class RedisClient: Sendable {
    package let url: RedisURL
    /// The event loop of its connections: a caller on it receives replies without waking another thread.
    package let eventLoop: any EventLoop
    private let options: RedisOptions
    private let outage: Outage
    private let logger: Logger
    private let state = Mutex(State())

    private struct State: Sendable {
        var current: RedisConnection?
        var generation = 0
        /// The callers that wait for the attempt in progress; nil if there is none.
        var waiting: [ReplyPromise<RedisConnection>]?
        /// When a connection was last abandoned because its server was not the primary.
        var lastRetirement: ContinuousClock.Instant?
        var isClosed = false

        var usable: RedisConnection? { current.flatMap { $0.isOpen ? $0 : nil } }
    }

    private enum Step {
        case use(RedisConnection)
        case wait
        case attempt
        case fail(any Error)
    }

    /// - Parameter eventLoop: nil for any event loop.
    package convenience init(
        url: RedisURL, options: RedisOptions = .init(), on eventLoop: (any EventLoop)? = nil, logger: Logger
    ) {
        self.init(
            url: url, options: options, on: eventLoop ?? MultiThreadedEventLoopGroup.singleton.next(),
            outage: Outage(delay: options.reconnectDelay), logger: logger)
    }

    private init(url: RedisURL, options: RedisOptions, on eventLoop: any EventLoop, outage: Outage, logger: Logger) {
        self.url = url
        self.eventLoop = eventLoop
        self.options = options
        self.outage = outage
        self.logger = logger
    }

    /// One client for each event loop of the process. They share the delay between attempts to connect, which ends for
    /// all of them when one has connected.
    package static func onEachEventLoop(
        url: RedisURL, options: RedisOptions = .init(), logger: Logger
    ) -> [RedisClient] {
        let outage = Outage(delay: options.reconnectDelay)
        return MultiThreadedEventLoopGroup.singleton.makeIterator().map {
            RedisClient(url: url, options: options, on: $0, outage: outage, logger: logger)
        }
    }

    /// Like `RedisConnection.send`.
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws -> RedisValue {
        try await reply(to: command, timeout: timeout).value
    }

    /// Like `RedisConnection.reply`.
    package func reply(to command: RedisCommand, timeout: Duration? = nil) async throws -> FlatReply {
        let connection = try await connection()
        do {
            return try await reply(to: command, timeout: timeout, over: connection)
        } catch RedisError.notSent {
            return try await reply(to: command, timeout: timeout, over: self.connection())
        }
    }

    private func reply(
        to command: RedisCommand, timeout: Duration?, over connection: RedisConnection
    ) async throws -> FlatReply {
        do {
            return try await connection.reply(to: command, timeout: timeout)
        } catch RedisError.reply(let error, let name) where error.isNotThePrimary {
            retire(connection, because: error)
            throw RedisError.reply(error, command: name)
        }
    }

    /// Like `RedisConnection.pipeline`. All commands use the same connection.
    package func pipeline(_ commands: [RedisCommand], timeout: Duration? = nil) async throws -> [RedisValue] {
        let connection = try await connection()
        do {
            return try await pipeline(commands, timeout: timeout, over: connection)
        } catch RedisError.notSent {
            return try await pipeline(commands, timeout: timeout, over: self.connection())
        }
    }

    private func pipeline(
        _ commands: [RedisCommand], timeout: Duration?, over connection: RedisConnection
    ) async throws -> [RedisValue] {
        let replies = try await connection.pipeline(commands, timeout: timeout)
        for case .error(let error) in replies where error.isNotThePrimary { retire(connection, because: error) }
        return replies
    }

    /// Closes the current connection, so that the next command resolves the server's name again. Commands in progress
    /// on it fail with `connectionLost`.
    package func reconnect(because reason: String) {
        guard let connection = state.withLock({ $0.usable }) else { return }
        connection.abandon(because: reason)
    }

    /// Abandons a connection whose server reports that it is not the primary (any more). After a failover by name or
    /// virtual address the name may already resolve to another server, and a demoted server does not close its
    /// connections.
    package func retire(_ connection: RedisConnection, because error: RedisReplyError) {
        let isNews = state.withLock { state in
            defer { state.lastRetirement = .now }
            return state.lastRetirement.map { .now - $0 > Self.retirementIsNews } ?? true
        }
        if isNews {
            logger.warning(
                "redis is not the primary; reconnecting, in case its name now resolves to another server",
                metadata: ["redis": "\(url)", "error": "\(error.message)"])
        }
        connection.abandon(because: "the server is not the primary: \(error.code)")
    }

    /// While a server stays a replica, each attempt ends like this: only the first one within this time is logged.
    private static let retirementIsNews = Duration.seconds(60)

    /// The current connection, or a new one, for a caller that must send several commands over one connection or know
    /// that none of them used another. It belongs to the client: do not close it.
    package func connection() async throws -> RedisConnection {
        if let connection = state.withLock({ $0.isClosed ? nil : $0.usable }) { return connection }
        let promise = ReplyPromise<RedisConnection>()
        return try await promise.value {
            switch state.withLock({ nextStep(&$0, for: promise) }) {
            case .use(let connection): promise.succeed(connection)
            case .fail(let error): promise.fail(error)
            case .wait: break
            // A separate task: the caller that started the attempt may be cancelled while others still wait for it.
            case .attempt: Task { await attempt() }
            }
        }
    }

    /// Tries to connect, with increasing delays, until there is a connection.
    ///
    /// - Parameters:
    ///   - limit: for all attempts together; nil for no limit. It is checked between attempts, each of which may take
    ///     `RedisOptions.connectTimeout`.
    ///   - onFailure: called when an attempt failed and another will follow, once for each kind of failure in a row.
    /// - Throws: the last error when the limit is reached; immediately, an error that waiting does not resolve (a wrong
    ///   password); `CancellationError`.
    package func waitUntilConnected(
        within limit: Duration? = nil, onFailure: (@Sendable (RedisError) -> Void)? = nil
    ) async throws {
        let clock = ContinuousClock()
        let deadline = limit.map { clock.now + $0 }
        var reported: String?
        while true {
            do {
                _ = try await connection()
                return
            } catch let error as RedisError where error.mayPass && !isClosed {
                let retryAt = outage.failure?.retryAt ?? clock.now
                if let deadline, max(retryAt, clock.now) >= deadline { throw error }
                if reported != error.kind { onFailure?(error) }
                reported = error.kind
                try await clock.sleep(until: retryAt)
            }
        }
    }

    /// How many connections have been made. If it differs from its value before a command, the server may have been
    /// restarted or replaced in between.
    package var generation: Int { state.withLock { $0.generation } }

    /// Whether the next command finds an open connection.
    package var isConnected: Bool { state.withLock { !$0.isClosed && $0.usable != nil } }

    /// Closes permanently: commands in progress fail with `connectionLost`, later ones with `notSent`.
    package func close() async {
        let (connection, waiting) = state.withLock { state in
            defer {
                state.current = nil
                state.waiting = state.waiting.map { _ in [] }
                state.isClosed = true
            }
            return (state.current, state.waiting ?? [])
        }
        for promise in waiting { promise.fail(closed) }
        await connection?.close()
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private var closed: RedisError { .notSent(to: url.redacted, reason: "the client was closed") }

    // MARK: Connecting

    private func nextStep(_ state: inout State, for promise: ReplyPromise<RedisConnection>) -> Step {
        if state.isClosed { return .fail(closed) }
        if let connection = state.usable { return .use(connection) }
        if state.waiting != nil {
            state.waiting?.append(promise)
            return .wait
        }
        if let error = outage.error(at: .now) { return .fail(error) }
        state.waiting = [promise]
        return .attempt
    }

    private func attempt() async {
        let begun = ContinuousClock.now
        do {
            let connection = try await RedisConnection.connect(to: url, options: options, on: eventLoop)
            await succeeded(connection)
        } catch {
            failed(error, begun: begun)
        }
    }

    private func succeeded(_ connection: RedisConnection) async {
        let (waiting, generation) = state.withLock { state in
            let waiting = state.waiting ?? []
            state.waiting = nil
            guard !state.isClosed else { return (waiting, Int?.none) }
            state.current = connection
            state.generation += 1
            outage.end(at: .now)
            return (waiting, state.generation)
        }
        guard let generation else {
            await connection.close()
            return
        }
        let isRetry = state.withLock { $0.lastRetirement.map { .now - $0 < Self.retirementIsNews } ?? false }
        logger.log(
            level: isRetry ? .debug : .info, "connected to redis",
            metadata: ["redis": "\(url)", "connection": "\(generation)"])
        connection.channel.closeFuture.whenComplete { [weak self, closeReason = connection.closeReason] _ in
            guard let self, !self.isClosed else { return }
            self.logger.log(
                // If this side abandoned the connection, the reason is already in the log.
                level: closeReason.isAbandoned ? .debug : .warning, "connection to redis lost",
                metadata: [
                    "redis": "\(self.url)", "connection": "\(generation)", "reason": "\(closeReason.text ?? "closed")",
                ])
        }
        for promise in waiting { promise.succeed(connection) }
    }

    private func failed(_ error: any Error, begun: ContinuousClock.Instant) {
        let isNews = outage.failed(error, begun: begun, at: .now)
        let (waiting, isClosed) = state.withLock { state in
            defer { state.waiting = nil }
            return (state.waiting ?? [], state.isClosed)
        }
        if isNews && !isClosed {
            logger.warning("cannot connect to redis", metadata: ["redis": "\(url)", "error": "\(error)"])
        }
        for promise in waiting { promise.fail(error) }
    }
}
