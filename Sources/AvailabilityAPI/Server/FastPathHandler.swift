import NIOCore
import NIOHTTP1

/// The stage of a connection that sees its requests first: has those for figures answered (`AvailabilityRoutes`), passes the
/// others on to the stage whose tasks answer them, and knows when the connection is idle and when it ends.
///
/// Answers leave in the order of their requests, and one at a time: what comes while one is made or sent is held back,
/// and then nothing more is read from the connection. So a client that does not read holds one answer.
///
/// An answer is the connection's last if the client asked for that, or if its request has not come to its end by then:
/// a body that nobody reads could go on for ever.
final class FastPathHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// Figures are asked for. The end of the request has yet to come.
        case asked(AvailabilityRequest)
        /// The answer with figures is being made.
        case responding(AvailabilityRequest)
        /// The request was passed on.
        case passedOn(PassedOn)
        /// All of the answer is written. The socket has yet to take it.
        case sending(isLast: Bool)
        /// The last answer is sent: what comes is discarded until the client has closed its side, for a while.
        case closing

        var isIdle: Bool { if case .idle = self { true } else { false } }
        var isSending: Bool { if case .sending = self { true } else { false } }
    }

    /// A request that a task answers.
    private struct PassedOn {
        var persistence: Persistence
        /// Whether all of the request has come.
        var isComplete: Bool
        /// Whether the connection ends with its answer; known from the answer's head on.
        var isLast = false
    }

    private enum Event {
        case part(HTTPServerRequestPart)
        case error(any Error)
        case user(Any)
    }

    /// Answers a request with figures: calls back once, on the event loop, and never before it has returned.
    typealias RespondWithAvailability = (AvailabilityRequest, any EventLoop, @escaping AvailabilityRoutes.WhenMade) ->
        Void

    /// nil: the server has none.
    private let availability: RespondWithAvailability?
    private let limits: Limits
    private var state = State.idle
    private var held = CircularBuffer<Event>()
    private var holdsRead = false
    private var context: ChannelHandlerContext?
    /// Bytes that are written here bypass the encoder.
    private var encoder: ChannelHandlerContext?
    private var lastActive = NIODeadline.now()
    /// When the client was last known to have taken something.
    private(set) var lastSent = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private let slowReaders: SlowReaders
    /// Bytes that the socket has not taken: of answers, and of events, which are counted where they are made.
    private var (responseBytes, eventBytes) = (0, 0)
    /// What of these is counted.
    private var countedBytes = 0
    private var isBehind = false
    private var acknowledged: UInt64 = 0
    /// The server is to end: the connection ends with the answers under way.
    private var isEnding = false

    struct Limits {
        /// A connection without a request, or with one that does not get on, is closed after this time.
        var idle: TimeAmount
        /// So is one whose answer does not get on: nothing of it could be sent on for so long.
        var stall: TimeAmount

        /// How often is looked whether an answer gets on.
        fileprivate var poll: TimeAmount { .nanoseconds(min(idle.nanoseconds, stall.nanoseconds / 4)) }
    }

    init(_ availability: RespondWithAvailability?, limits: Limits, slowReaders: SlowReaders) {
        self.availability = availability
        self.limits = limits
        self.slowReaders = slowReaders
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        setTimer(context)
    }

    /// The connection is closed: the result of a read under way is discarded.
    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        dropUnread()
        self.context = nil
        encoder = nil
    }

    // MARK: - What comes from the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(.part(unwrapInboundIn(data)), context)
    }

    /// Bytes that are no request, say.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        take(.error(error), context)
    }

    /// The end of the client's input waits for its turn: a task that receives it before its first request closes the
    /// connection, with what has yet to be sent.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isEnding = true
            closeAtEnd(context)
        } else {
            take(.user(event), context)
        }
    }

    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { holdsRead = true }
    }

    private var isResponding: Bool {
        switch state {
        case .idle, .asked, .closing: false
        case .passedOn(let request): request.isComplete
        case .responding, .sending: true
        }
    }

    private func take(_ event: Event, _ context: ChannelHandlerContext) {
        if isResponding {
            held.append(event)
            return
        }
        if case .closing = state {
            if case .user(let event) = event, event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
            return
        }
        switch event {
        case .part(let part): take(part, context)
        case .error(let error): context.fireErrorCaught(error)
        case .user(let event): context.fireUserInboundEventTriggered(event)
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        lastActive = .now()
        switch (part, state) {
        case (.head(let request), _):
            if let availability, let request = AvailabilityRequest(request) {
                state = .asked(request)
                // Its body may never end.
                if request.hasBody { respond(to: request, availability, context) }
                return
            }
            state = .passedOn(PassedOn(persistence: Persistence(request), isComplete: false))
        case (.end, .asked(let request)):
            if let availability { respond(to: request, availability, context) }
            return
        case (.end, .passedOn(var request)):
            request.isComplete = true
            state = .passedOn(request)
        case (.body, _), (.end, _): break
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    // MARK: - Answers with figures

    private func respond(
        to request: AvailabilityRequest, _ availability: RespondWithAvailability, _ context: ChannelHandlerContext
    ) {
        state = .responding(request)
        let stage = NIOLoopBound(self, eventLoop: context.eventLoop)
        availability(request, context.eventLoop) { stage.value.send($0) }
    }

    /// The request is done when the socket has taken all of its answer.
    private func send(_ response: ByteBuffer) {
        guard let context, case .responding(let request) = state else { return }
        // It was there when this stage was added; without it nothing could be sent.
        guard let encoder else { return context.close(promise: nil) }
        state = .sending(isLast: request.isLast)
        let sent = context.eventLoop.makePromise(of: Void.self)
        // Where it fails, the connection is closed.
        sent.futureResult.assumeIsolated().whenSuccess { [self] in availabilityIsSent() }
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(response)), promise: sent)
        // Most sockets take an answer at once.
        if state.isSending {
            responseBytes = response.readableBytes
            countUnread()
        }
    }

    private func availabilityIsSent() {
        guard let context else { return }
        lastSent = .now()
        if isBehind {
            responseBytes = 0
            countUnread()
        }
        responseIsSent(context)
    }

    private func responseIsSent(_ context: ChannelHandlerContext) {
        lastActive = lastSent
        if case .sending(isLast: true) = state { endAfterResponse(context) } else { state = .idle }
        takeHeld(context)
        closeAtEnd(context)
    }

    private func takeHeld(_ context: ChannelHandlerContext) {
        if !held.isEmpty {
            while !isResponding, let event = held.popFirst() { take(event, context) }
            context.fireChannelReadComplete()
        }
        if held.isEmpty, holdsRead {
            holdsRead = false
            context.read()
        }
    }

    // MARK: - Answers of tasks

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch (unwrapOutboundIn(data), state) {
        // The body is asked for (100), which is no answer.
        case (.head(let head), .passedOn) where head.status.code < 200: context.write(data, promise: promise)
        case (.head(let head), .passedOn(let request)): write(head, request, context, promise)
        // What came is no request.
        case (.head(let head), .idle), (.head(let head), .asked):
            write(head, PassedOn(persistence: .unreadable, isComplete: true), context, promise)
        case (.body(let body), .passedOn): write(data, body.readableBytes, context, promise)
        case (.end, .passedOn(let request)):
            state = .sending(isLast: request.isLast)
            write(data, 0, context, promise) { [self] in responseIsSent(context) }
        // A second answer: the rest of a body, say, that was found to be none after the first one.
        default: promise?.fail(ChannelError.outputClosed)
        }
    }

    private func write(
        _ head: HTTPResponseHead, _ request: PassedOn, _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        var (head, request) = (head, request)
        request.isLast = request.persistence.isAskedToEnd || !request.isComplete
        state = .passedOn(request)
        // Chunks could not be read there.
        if request.persistence.version == .http1_0 { head.version = .http1_0 }
        if let field = request.persistence.field(isLast: request.isLast) {
            head.headers.replaceOrAdd(name: "Connection", value: field)
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// - Parameter whenTaken: called when the socket has taken it.
    private func write(
        _ data: NIOAny, _ bytes: Int, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?,
        whenTaken: (() -> Void)? = nil
    ) {
        responseBytes += bytes
        let sent = promise ?? context.eventLoop.makePromise()
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            lastSent = .now()
            responseBytes -= bytes
            if isBehind { countUnread() }
            whenTaken?()
        }
        context.write(data, promise: sent)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if responseBytes > 0 { countUnread() }
    }

    /// Sends events of the stream that a task answers with; behind the head, which the task has sent.
    /// - Parameter events: at least one.
    /// - Parameter sent: when the socket has taken all of them.
    func send(_ events: [CountedBuffer], _ sent: EventLoopPromise<Void>) {
        guard let context, let last = events.last else { return sent.fail(ChannelError.ioOnClosedChannel) }
        let bytes = events.reduce(0) { $0 + $1.bytes.readableBytes }
        eventBytes += bytes
        // However it ends: they are counted for as long as they live, and would be released here otherwise.
        sent.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(events) {} }
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            lastSent = .now()
            eventBytes -= bytes
            if isBehind { countUnread() }
        }
        for event in events.dropLast() { context.write(wrapOutboundOut(.body(.byteBuffer(event.bytes))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(last.bytes))), promise: sent)
        if eventBytes > 0 { countUnread() }
    }

    // MARK: - What the client has not read

    private func countUnread() {
        // Else it is closed, and nothing of it is held.
        guard context != nil else { return }
        let isBehind = unreadBytes > 0
        if isBehind != self.isBehind {
            self.isBehind = isBehind
            if isBehind {
                slowReaders.insert(self)
                // From here on counts what is acknowledged from now on.
                _ = clientHasTaken()
                lastSent = .now()
            } else {
                slowReaders.remove(self)
            }
        }
        let more = responseBytes - countedBytes
        countedBytes = responseBytes
        if more != 0 { slowReaders.add(more) }
    }

    /// Bytes of what was written that the socket has yet to take.
    var remaining: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? unreadBytes
    }

    /// Whether the client's machine has taken anything since this was last asked, which is noted (`lastSent`). The
    /// socket's buffer hides that for long: it may be megabytes, and says that it takes more when a third of it is
    /// free.
    func clientHasTaken() -> Bool {
        guard let socket = context?.channel as? any SocketOptionProvider else { return false }
        let before = acknowledged
        let progress: EventLoopFuture<TransportProgress> = socket.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel.tcp, name: NIOBSDSocket.Option.tcp_info)
        progress.assumeIsolated().whenSuccess { [self] in acknowledged = $0.acknowledged }
        guard acknowledged != before else { return false }
        lastSent = .now()
        return true
    }

    /// Bytes that are held for it, those of events among them.
    var unreadBytes: Int { responseBytes + eventBytes }

    /// Closes the connection, as others need the room.
    func cutOff() {
        dropUnread()
        slowReaders.countCutOff(.room)
        let context = context
        self.context = nil
        context?.close(promise: nil)
    }

    private func dropUnread() {
        slowReaders.remove(self)
        slowReaders.add(-countedBytes)
        (responseBytes, eventBytes, countedBytes, isBehind) = (0, 0, 0, false)
    }

    // MARK: - The connection's end

    private func endAfterResponse(_ context: ChannelHandlerContext) {
        state = .closing
        context.close(mode: .output, promise: nil)
        // The client may be sending still: it is given time to read the answer.
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
    }

    private func closeAtEnd(_ context: ChannelHandlerContext) {
        if isEnding, state.isIdle { context.close(promise: nil) }
    }

    /// Polls, rarely: no event reports what it looks for.
    private func setTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: min(deadline, .now() + limits.poll)) {
            [self] in
            if isBehind { _ = clientHasTaken() }
            guard deadline <= .now() else { return setTimer(context) }
            if isBehind { slowReaders.countCutOff(.stalled) }
            context.close(promise: nil)
        }
    }

    /// When the connection is to be closed if nothing happens.
    private var deadline: NIODeadline {
        // An answer may take its time.
        min(isResponding ? .distantFuture : lastActive + limits.idle, lastSent + limits.stall)
    }
}

/// The beginning of what Linux says about a connection (`tcp_info`), as far as it is asked for: the C library's own
/// type ends before the last member.
private struct TransportProgress: Sendable {
    /// States, times, windows.
    private var others: InlineArray<15, UInt64>
    /// Bytes that the other machine has acknowledged since the connection's beginning (`tcpi_bytes_acked`).
    var acknowledged: UInt64
}
