import NIOCore

/// A connection to a server. Any number of tasks may use it concurrently: commands are sent in the order in which they
/// reach its event loop, and each task gets the reply to its own command.
///
/// A task that is cancelled while it waits for a reply continues immediately with `CancellationError`. The command may
/// still be executed; its reply is dropped on arrival, and the pairing of all other replies is unaffected. A task that
/// is cancelled before it has begun sends nothing.
package final class RedisConnection: Sendable {
    let channel: any Channel
    let closeReason: CloseReason
    private let handler: NIOLoopBound<RedisChannelHandler>
    private let server: String
    private let commandTimeout: Duration

    /// Pipelines are joined into buffers of about this size: fewer, larger writes, but no second copy of a very large
    /// command.
    private static let pipelineChunk = 256 << 10

    init(
        channel: any Channel, handler: NIOLoopBound<RedisChannelHandler>, closeReason: CloseReason, server: String,
        commandTimeout: Duration
    ) {
        self.channel = channel
        self.handler = handler
        self.closeReason = closeReason
        self.server = server
        self.commandTimeout = commandTimeout
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Sends a command and waits for its reply. An error reply is thrown as `RedisError.reply`.
    ///
    /// - Parameter timeout: starts when the command is sent; nil for `RedisOptions.commandTimeout`. When it expires,
    ///   the connection is closed and every command in progress on it fails.
    /// - Throws: `RedisError`; `CancellationError` if the task is cancelled.
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws -> RedisValue {
        try await reply(to: command, timeout: timeout).value
    }

    /// Like `send`, but returns the reply in flat form, for large ones.
    package func reply(to command: RedisCommand, timeout: Duration? = nil) async throws -> FlatReply {
        try checkSize([command])
        let promise = ReplyPromise<FlatReply>()
        let pending = PendingCommand(name: command.name, timeout: timeout ?? commandTimeout, waiter: .one(promise))
        return try await promise.value { send(pending, command.encoded) }
    }

    /// Sends commands together and waits for all replies, in the order of the commands. Error replies are returned as
    /// values: commands after a failed one are still executed. The timeout applies to the whole pipeline.
    ///
    /// - Throws: `RedisError`, but never `.reply`; `CancellationError` if the task is cancelled.
    package func pipeline(_ commands: [RedisCommand], timeout: Duration? = nil) async throws -> [RedisValue] {
        guard let first = commands.first else { return [] }
        try checkSize(commands)
        let promise = ReplyPromise<[FlatReply]>()
        let name = commands.count == 1 ? first.name : "\(first.name) and \(commands.count - 1) more"
        let pending = PendingCommand(
            name: name, timeout: timeout ?? commandTimeout, waiter: .many(promise, count: commands.count))
        let buffers = Self.joined(commands)
        return try await promise.value { send(pending, buffers) }.map(\.value)
    }

    /// Closes the connection. Commands in progress fail with `connectionLost`.
    package func close() async {
        let handler = handler
        channel.eventLoop.execute { handler.value.close(because: "it was closed on this side") }
        // An error of the future is ignored: the connection is closed either way.
        _ = try? await channel.closeFuture.get()
    }

    /// Whether a command can be sent, as far as this side knows: a dead server shows only when a command is sent.
    package var isOpen: Bool { closeReason.text == nil && channel.isActive }

    private func send(_ pending: PendingCommand, _ buffers: [ByteBuffer]) {
        let handler = handler
        channel.eventLoop.execute { handler.value.send(pending, buffers) }
    }

    private func checkSize(_ commands: [RedisCommand]) throws {
        guard let command = commands.first(where: \.isTooLarge) else { return }
        throw RedisError.notSent(
            to: server, reason: "\(command.name) is larger than \(RedisCommand.maximumBytes) bytes, the limit of Redis")
    }

    private static func joined(_ commands: [RedisCommand]) -> [ByteBuffer] {
        guard commands.count > 1 else { return commands.flatMap(\.encoded) }
        var buffers: [ByteBuffer] = []
        var buffer = ByteBuffer()
        for var encoded in commands.lazy.flatMap(\.encoded) {
            if buffer.readableBytes > 0, buffer.readableBytes + encoded.readableBytes > pipelineChunk {
                buffers.append(buffer)
                buffer = ByteBuffer()
            }
            if encoded.readableBytes > pipelineChunk { buffers.append(encoded) } else { buffer.writeBuffer(&encoded) }
        }
        if buffer.readableBytes > 0 { buffers.append(buffer) }
        return buffers
    }
}
