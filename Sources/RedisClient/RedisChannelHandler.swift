import NIOCore

/// The last handler of a connection's channel: writes commands, parses replies, pairs them, and enforces deadlines.
///
/// Any doubt about the pairing (a late reply, a reply to no command, bytes that are not a reply) closes the connection
/// and fails every command in progress. Runs on the event loop of its channel.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: String
    private let closeReason: CloseReason
    private let parser: ReplyParser
    private var pending = PendingCommands()
    private var context: ChannelHandlerContext?
    private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?
    private var isFlushScheduled = false

    init(server: String, closeReason: CloseReason, maximumReplyBytes: Int) {
        self.server = server
        self.closeReason = closeReason
        parser = ReplyParser(maximumReplyBytes: maximumReplyBytes)
    }

    /// Sends encoded commands, in any number of buffers.
    func send(_ command: PendingCommand, _ buffers: [ByteBuffer]) {
        guard closeReason.text == nil, let context else {
            command.fail(.notSent(to: server, reason: closeReason.text ?? "the connection is closed"))
            return
        }
        // Nothing is written yet, so no reply will have to be paired.
        if command.isAbandoned { return }
        let deadline = NIODeadline.now() + TimeAmount(max(.zero, command.timeout))
        pending.append(command, deadline: deadline)
        for buffer in buffers { context.write(wrapOutboundOut(buffer), promise: nil) }
        flushSoon(context)
        if timer.map({ deadline < $0.deadline }) ?? true { setTimer(deadline, context) }
    }

    /// Closes the connection from this side.
    func close(because reason: String) {
        end(reason: reason) { [server] _, _ in .connectionLost(to: server, reason: reason) }
    }

    /// One system call for all commands that are sent in the same event loop tick.
    private func flushSoon(_ context: ChannelHandlerContext) {
        if isFlushScheduled { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.context?.flush()
        }
    }

    // MARK: Deadlines

    /// One timer per connection, for the earliest deadline at the time it was set: replies do not touch it. If nothing
    /// is overdue when it fires, it is set again, so it fires about once per shortest timeout.
    private func setTimer(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        timer?.scheduled.cancel()
        let scheduled = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
        timer = (deadline, scheduled)
    }

    private func timerFired() {
        timer = nil
        guard let context, let earliest = pending.earliestDeadline else { return }
        let now = NIODeadline.now()
        if earliest > now {
            setTimer(earliest, context)
            return
        }
        let reason = "another command had no reply in time"
        end(reason: "a command had no reply in time", overdue: now) { [server] _, _ in
            .connectionLost(to: server, reason: reason)
        }
    }

    // MARK: Ending

    private func violated(_ detail: String) {
        end(reason: "the server broke the protocol: \(detail)") { [server] isFirst, _ in
            isFirst
                ? .protocolViolation(to: server, detail: detail)
                : .connectionLost(to: server, reason: "an earlier reply broke the protocol: \(detail)")
        }
    }

    private func refuse(_ error: ReplySyntaxError) {
        guard error.isTooLarge else { return violated(error.detail) }
        end(reason: error.detail) { [server, limit = parser.maximumReplyBytes] isFirst, _ in
            isFirst
                ? .replyTooLarge(to: server, limit: limit)
                : .connectionLost(to: server, reason: "an earlier reply was too large")
        }
    }

    private func end(
        reason: String, overdue now: NIODeadline? = nil, _ error: (_ isFirst: Bool, _ lastWords: String?) -> RedisError
    ) {
        closeReason.set(reason)
        timer?.scheduled.cancel()
        timer = nil
        pending.failAll(server: server, now: now, error)
        context?.close(promise: nil)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Bytes that arrive after the end may be incomplete.
        guard closeReason.text == nil else { return }
        let buffer = unwrapInboundIn(data)
        do throws(ReplySyntaxError) {
            var failure: ReplySyntaxError?
            buffer.withUnsafeReadableBytes { bytes in
                do throws(ReplySyntaxError) { try parser.feed(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            while let reply = try parser.next() {
                guard pending.receive(reply) else {
                    violated("a reply arrived that belongs to no command")
                    return
                }
            }
        } catch {
            refuse(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let reason = closeReason.text ?? "the server closed the connection"
        end(reason: reason) { [server] _, lastWords in
            let said = lastWords.map { " after saying: \($0)" } ?? ""
            return .connectionLost(to: server, reason: reason + said)
        }
        context.fireChannelInactive()
    }

    /// Handles an error of the socket or of TLS. Nothing received after it can be trusted.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = RedisConnection.reason(of: error)
        end(reason: reason) { [server] _, lastWords in
            .connectionLost(to: server, reason: reason + (lastWords.map { " after the server said: \($0)" } ?? ""))
        }
    }
}
