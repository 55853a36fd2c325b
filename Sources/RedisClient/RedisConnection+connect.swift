import Glibc
import NIOCore
import NIOPosix
import Files

extension RedisConnection {
    /// Opens a connection and prepares it: TCP or unix socket, TLS, AUTH, SELECT, CLIENT SETNAME, and PING, which fails
    /// if the server cannot serve commands yet (LOADING).
    ///
    /// - Throws: `RedisError.cannotConnect`; `.reply` if the server replies with an error (`WRONGPASS`, `NOAUTH`,
    ///   `LOADING`, `BUSY`…); `.protocolViolation` if it is not a Redis server; `CancellationError`. The connection is
    ///   then closed.
    package static func connect(
        to url: RedisURL, options: RedisOptions = .init(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> RedisConnection {
        let deadline = ContinuousClock.now + options.connectTimeout
        let connection = try await open(url, options, group)
        do {
            try await connection.greet(url, options, until: deadline)
            return connection
        } catch {
            // Not awaited: an orderly end of TLS with a silent server takes seconds.
            connection.abandon(because: "it could not be made ready")
            throw Self.whileConnecting(error, to: url, options)
        }
    }

    private static func open(
        _ url: RedisURL, _ options: RedisOptions, _ group: any EventLoopGroup
    ) async throws -> RedisConnection {
        let security = try await TransportSecurity.prepare(for: url, options)
        let closeReason = CloseReason()
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(max(.zero, options.connectTimeout)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try security.add(to: pipeline)
                    try pipeline.addHandler(
                        RedisChannelHandler(
                            server: url.redacted, closeReason: closeReason, maximumReplyBytes: options.maximumReplyBytes
                        ))
                }
            }
        let channel: EventLoopFuture<any Channel>
        switch url.address {
        case .tcp(let host, let port): channel = bootstrap.withKeepalive().connect(host: host, port: port)
        case .unixSocket(let path):
            guard let address = FilePath.socketAddress(path) else {
                throw RedisError.cannotConnect(
                    to: url.redacted,
                    reason: "the path is longer than \(RedisURL.maximumSocketPathBytes) bytes, the limit of the system")
            }
            channel = bootstrap.connect(to: SocketAddress(address))
        }
        let opened = channel.flatMapThrowing { channel in
            let handler = try channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
            return RedisConnection(
                channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                closeReason: closeReason, server: url.redacted, commandTimeout: options.commandTimeout)
        }
        let promise = ReplyPromise<RedisConnection>()
        return try await promise.value {
            opened.whenComplete { result in
                switch result {
                // If no caller waits any more, releasing the connection closes it.
                case .success(let connection): promise.succeed(connection)
                case .failure(let error): promise.fail(Self.cannotConnect(error, to: url, options))
                }
            }
        }
    }

    /// Sends everything in one pipeline: one round trip. The commands after a failed AUTH fail as well.
    private func greet(_ url: RedisURL, _ options: RedisOptions, until deadline: ContinuousClock.Instant) async throws {
        var greetings: [RedisCommand] = []
        if let password = url.password {
            greetings.append(url.user.map { RedisCommand("AUTH", $0, password) } ?? RedisCommand("AUTH", password))
        }
        if url.database != 0 { greetings.append(RedisCommand("SELECT", String(url.database))) }
        let needed = greetings.count
        greetings.append(RedisCommand("CLIENT SETNAME", options.clientName))
        greetings.append(RedisCommand("PING"))
        let replies = try await pipeline(greetings, timeout: max(.milliseconds(1), deadline - .now))
        for (index, (greeting, reply)) in zip(greetings, replies).enumerated() {
            guard case .error(let error) = reply else { continue }
            // The name is optional, and a user without permission for PING may still have all permissions that matter.
            let isOptional = index == needed || error.code == "NOPERM" && index > needed
            if !isOptional { throw RedisError.reply(error, command: greeting.name) }
        }
    }

    /// Closes the connection immediately. Commands in progress fail with `connectionLost`.
    func abandon(because reason: String) {
        closeReason.set(reason, isAbandoned: true)
        channel.close(promise: nil)
    }

    // MARK: Errors

    /// Only our own commands are in progress while connecting: the caller gets an error that says there is no
    /// connection.
    private static func whileConnecting(_ error: any Error, to url: RedisURL, _ options: RedisOptions) -> any Error {
        switch error {
        case RedisError.timedOut:
            cannotConnect(ChannelError.connectTimeout(TimeAmount(options.connectTimeout)), to: url, options)
        case RedisError.connectionLost(let server, let reason), RedisError.notSent(let server, let reason):
            RedisError.cannotConnect(to: server, reason: reason)
        default: error
        }
    }

    private static func cannotConnect(_ error: any Error, to url: RedisURL, _ options: RedisOptions) -> RedisError {
        if case ChannelError.connectTimeout = error {
            // Redis without TLS reads the beginning of a handshake as an incomplete command, and waits for the rest.
            let hint = url.usesTLS ? " (does the server speak TLS on this port?)" : ""
            return .cannotConnect(to: url.redacted, reason: "no reply within \(options.connectTimeout)\(hint)")
        }
        return .cannotConnect(to: url.redacted, reason: reason(of: error))
    }

    /// A short reason, in the system's words.
    static func reason(of error: any Error) -> String {
        if let reason = TransportSecurity.reason(of: error) { return reason }
        switch error {
        case let error as IOError: return reason(errno: error.errnoCode)
        case let error as NIOConnectionError:
            var reasons = error.connectionErrors.map { reason(of: $0.error) }
            if reasons.isEmpty {
                let causes = [error.dnsAError, error.dnsAAAAError].compactMap { $0 }
                reasons = causes.map { "its address was not found (\($0))" }
            }
            var seen: Set<String> = []
            return reasons.filter { seen.insert($0).inserted }.joined(separator: "; ")
        case let error as SocketAddressError.FailedToParseIPByteBuffer: return "\(error)"
        case ChannelError.connectTimeout: return "no reply in time"
        default: return "\(error)"
        }
    }

    private static func reason(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: return "connection refused"
        case ECONNRESET, EPIPE: return "the server reset the connection"
        case ENOENT: return "there is no such socket file"
        case EACCES: return "permission denied"
        case ETIMEDOUT: return "the connection timed out"
        case EHOSTUNREACH, ENETUNREACH: return "there is no route to the host"
        case EMFILE, ENFILE: return "too many open files"
        default:
            var text = [CChar](repeating: 0, count: 128)
            guard strerror_r(code, &text, text.count) == 0 else { return "system error \(code)" }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension ClientBootstrap {
    /// Detects a peer that vanished silently (power, network): on idle connections after about a minute. On busy ones
    /// the command timeout detects it first.
    fileprivate func withKeepalive() -> ClientBootstrap {
        channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 30)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 10)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
    }
}
