import NIOCore
import NIOHTTP1

/// The first handler of a connection that sees requests. It serves those for availability (`AvailabilityRoutes`),
/// passes all remaining ones on to the handler whose tasks serve them, and detects when the connection is idle and when
/// it ends.
///
/// Responses are sent one at a time, in the order of their requests. Events that arrive while a response is made or
/// sent are held back, and nothing more is read from the connection: a client that does not read occupies one response.
///
/// A response is the last on its connection if the client asked for that, or if the request is still incomplete by
/// then: an unread body could continue without limit.
final class FastPathHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// The head of a request for availability has arrived, but not its end.
        case asked(AvailabilityRequest)
        /// The response with availability is being made.
        case responding(AvailabilityRequest)
        /// The request was passed on.
        case passedOn(PassedOn)
        /// The whole response is written, but the socket has not accepted all of it.
        case sending(isLast: Bool)
        /// The last response is sent: input is discarded until the client closes its side, for a limited time.
        case closing

        var isIdle: Bool { if case .idle = self { true } else { false } }
        var isSending: Bool { if case .sending = self { true } else { false } }
    }

    /// A request that a task serves.
    private struct PassedOn {
        var persistence: Persistence
        /// Whether the whole request has arrived.
        var isComplete: Bool
        /// Whether the connection ends with its response; set when the head of the response is written.
        var isLast = false
    }

    private enum Event {
        case part(HTTPServerRequestPart)
        case error(any Error)
        case user(Any)
    }

    /// Responds to a request for availability: calls back once, on the event loop, and never before it has returned.
    typealias RespondWithAvailability = (AvailabilityRequest, any EventLoop, @escaping AvailabilityRoutes.WhenMade) ->
        Void

    /// nil if the server does not serve availability.
    private let availability: RespondWithAvailability?
    private let limits: Limits
    private var state = State.idle
    private var held = CircularBuffer<Event>()
    private var holdsRead = false
    private var context: ChannelHandlerContext?
    /// The encoder's context: bytes written here bypass the encoder.
    private var encoder: ChannelHandlerContext?
    private var lastActive = NIODeadline.now()
    /// When the client was last known to have received bytes.
    private(set) var lastSent = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private let slowReaders: SlowReaders
    /// Bytes of responses and of events that the socket has not accepted. Events are counted where they are made
    /// (`CountedBuffer`).
    private var (responseBytes, eventBytes) = (0, 0)
    /// The part of `responseBytes` that `slowReaders` counts.
    private var countedBytes = 0
    private var isBehind = false
    private var acknowledged: UInt64 = 0
    /// The server is shutting down: the connection ends with the pending responses.
    private var isEnding = false

    struct Limits {
        /// A connection without a request, or whose request makes no progress, is closed after this time.
        var idle: TimeAmount
        /// A connection whose response makes no progress is closed after this time.
        var stall: TimeAmount

        /// How often the progress of a response is checked.
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

    /// The connection is closed: the result of a read in progress is dropped.
    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        dropUnread()
        self.context = nil
        encoder = nil
    }

    // MARK: - Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(.part(unwrapInboundIn(data)), context)
    }

    /// Handles an error of an earlier handler, for example bytes that are not a request.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        take(.error(error), context)
    }

    /// Half-closure is queued behind pending responses: a task that sees the input closed before its first request
    /// would close the connection and drop unsent bytes.
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

    // MARK: - Responses with availability

    private func respond(
        to request: AvailabilityRequest, _ availability: RespondWithAvailability, _ context: ChannelHandlerContext
    ) {
        state = .responding(request)
        let stage = NIOLoopBound(self, eventLoop: context.eventLoop)
        availability(request, context.eventLoop) { stage.value.send($0) }
    }

    /// The request is done once the socket has accepted the whole response.
    private func send(_ response: ByteBuffer) {
        guard let context, case .responding(let request) = state else { return }
        // The encoder existed when this handler was added; without it nothing can be sent.
        guard let encoder else { return context.close(promise: nil) }
        state = .sending(isLast: request.isLast)
        let sent = context.eventLoop.makePromise(of: Void.self)
        // If the write fails, the connection is closed.
        sent.futureResult.assumeIsolated().whenSuccess { [self] in availabilityIsSent() }
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(response)), promise: sent)
        // Most sockets accept a whole response at once.
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

    // MARK: - Responses of tasks

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch (unwrapOutboundIn(data), state) {
        // An informational response (100) that requests the body; the actual response follows.
        case (.head(let head), .passedOn) where head.status.code < 200: context.write(data, promise: promise)
        case (.head(let head), .passedOn(let request)): write(head, request, context, promise)
        // The bytes received were not a request.
        case (.head(let head), .idle), (.head(let head), .asked):
            write(head, PassedOn(persistence: .unreadable, isComplete: true), context, promise)
        case (.body(let body), .passedOn): write(data, body.readableBytes, context, promise)
        case (.end, .passedOn(let request)):
            state = .sending(isLast: request.isLast)
            write(data, 0, context, promise) { [self] in responseIsSent(context) }
        // A second response: for example, the rest of a body turned out to be malformed after the first one.
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
        // HTTP/1.0 clients cannot read chunks.
        if request.persistence.version == .http1_0 { head.version = .http1_0 }
        if let field = request.persistence.field(isLast: request.isLast) {
            head.headers.replaceOrAdd(name: "Connection", value: field)
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// - Parameter whenWritten: called when the socket has accepted the data.
    private func write(
        _ data: NIOAny, _ bytes: Int, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?,
        whenWritten: (() -> Void)? = nil
    ) {
        responseBytes += bytes
        let sent = promise ?? context.eventLoop.makePromise()
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            lastSent = .now()
            responseBytes -= bytes
            if isBehind { countUnread() }
            whenWritten?()
        }
        context.write(data, promise: sent)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if responseBytes > 0 { countUnread() }
    }

    /// Sends events of a stream response, after the head, which a task has sent.
    /// - Parameters:
    ///   - events: at least one.
    ///   - sent: completed when the socket has accepted all of them.
    func send(_ events: [CountedBuffer], _ sent: EventLoopPromise<Void>) {
        guard let context, let last = events.last else { return sent.fail(ChannelError.ioOnClosedChannel) }
        let bytes = events.reduce(0) { $0 + $1.bytes.readableBytes }
        eventBytes += bytes
        // Keeps the events alive, and therefore counted, until the write succeeds or fails.
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

    // MARK: - Unread bytes

    private func countUnread() {
        // Without a context the connection is closed and buffers nothing.
        guard context != nil else { return }
        let isBehind = unreadBytes > 0
        if isBehind != self.isBehind {
            self.isBehind = isBehind
            if isBehind {
                slowReaders.insert(self)
                // Sets the baseline: only bytes acknowledged from now on are progress.
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

    /// Written bytes that the socket has not accepted yet.
    var remaining: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? unreadBytes
    }

    /// Whether the client's host has acknowledged bytes since the last call; if so, updates `lastSent`. The socket's
    /// buffer hides this progress for a long time: it may hold megabytes, and becomes writable only when a third of it
    /// is free.
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

    /// Bytes buffered for the client, including events.
    var unreadBytes: Int { responseBytes + eventBytes }

    /// Closes the connection to free memory for other clients.
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
        // The client may still be sending: it gets time to read the response.
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
    }

    private func closeAtEnd(_ context: ChannelHandlerContext) {
        if isEnding, state.isIdle { context.close(promise: nil) }
    }

    /// Polls, infrequently: no event reports a lack of progress.
    private func setTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: min(deadline, .now() + limits.poll)) {
            [self] in
            if isBehind { _ = clientHasTaken() }
            guard deadline <= .now() else { return setTimer(context) }
            if isBehind { slowReaders.countCutOff(.stalled) }
            context.close(promise: nil)
        }
    }

    /// When the connection will be closed unless there is progress.
    private var deadline: NIODeadline {
        // The time to make a response is not limited.
        min(isResponding ? .distantFuture : lastActive + limits.idle, lastSent + limits.stall)
    }
}

/// The beginning of Linux's `tcp_info`, up to the last member that is used: the C library's own type ends before that
/// one.
private struct TransportProgress: Sendable {
    /// States, times and windows.
    private var others: InlineArray<15, UInt64>
    /// Bytes that the peer has acknowledged since the connection was opened (`tcpi_bytes_acked`).
    var acknowledged: UInt64
}
