import NIOCore
import NIOHTTP1

/// The stage of a connection that sees its requests first: answers direct reads itself, hands on the others to the stage
/// whose tasks answer them, and knows when the connection is idle.
///
/// Answers leave in the order of their requests: a request that comes while a task is at work goes to the task, and
/// what comes while one is answered here is held back, and then nothing more is read from the connection.
final class RequestStage: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// The end of the request has yet to come.
        case asked(HTTPRequestHead, DirectReads.Question)
        case reading(HTTPRequestHead, DirectReads.Question)
        /// The socket has yet to take all of the answer.
        case sending

        var isIdle: Bool { if case .idle = self { true } else { false } }

        var isAnswering: Bool {
            switch self {
            case .idle, .asked: false
            case .reading, .sending: true
            }
        }
    }

    private enum Event {
        case part(HTTPServerRequestPart)
        case error(any Error)
        case user(Any)
    }

    /// nil: there are none.
    private let reads: DirectReads?
    private let limits: Limits
    private var state = State.idle
    /// Requests that were handed on, and are not answered yet.
    private var handedOn = 0
    /// Whether the last of them has yet to come to its end.
    private var isTakingRequest = false
    private var held = CircularBuffer<Event>()
    private var holdsRead = false
    private var context: ChannelHandlerContext?
    /// Bytes that are written here go past the encoder.
    private var encoder: ChannelHandlerContext?
    private var lastActive = NIODeadline.now()
    private var lastSent = NIODeadline.now()
    private var timer: Scheduled<Void>?
    /// The server is to end: the connection ends with the answers under way.
    private var isEnding = false

    struct Limits {
        /// A connection without a request, or with one that does not get on, is closed after this time.
        var idle: TimeAmount
        /// So is one whose answer does not get on: nothing of it could be sent on for so long.
        var stall: TimeAmount
    }

    init(_ reads: DirectReads?, limits: Limits) {
        self.reads = reads
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        setTimer(context)
    }

    /// The connection is closed: what is being read finds nobody.
    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
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

    /// That the client has no more to say waits for its turn: a task that is told so before its first request closes the
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

    private func take(_ event: Event, _ context: ChannelHandlerContext) {
        if state.isAnswering {
            held.append(event)
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
            if handedOn == 0, let question = reads?.question(request) {
                state = .asked(request, question)
                return
            }
            handedOn += 1
            isTakingRequest = true
        case (.end, .asked(let request, let question)):
            state = .reading(request, question)
            read(question, context)
            return
        case (.end, _): isTakingRequest = false
        case (.body, _): break
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    // MARK: - Direct reads

    private func read(_ question: DirectReads.Question, _ context: ChannelHandlerContext) {
        let stage = NIOLoopBound(self, eventLoop: context.eventLoop)
        reads?.storefront.reads.read(question.products, on: context.eventLoop) { stage.value.answer(with: $0) }
    }

    private func answer(with result: Result<SharedReads.Reading, any Error>) {
        guard let context, case .reading(let request, let question) = state else { return }
        if let answer = reads?.answer(request, question, result) {
            send(answer, context)
        } else {
            state = .idle
            handedOn += 1
            context.fireChannelRead(wrapInboundOut(.head(request)))
            context.fireChannelRead(wrapInboundOut(.end(nil)))
            context.fireChannelReadComplete()
            takeHeld(context)
        }
    }

    /// The request is done when the socket has taken all of its answer.
    private func send(_ answer: ByteBuffer, _ context: ChannelHandlerContext) {
        // It was there when this stage was added; without it nothing could be sent.
        guard let encoder else { return context.close(promise: nil) }
        state = .sending
        let sent = context.eventLoop.makePromise(of: Void.self)
        // Where it fails, the connection is closed.
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            state = .idle
            lastSent = .now()
            lastActive = lastSent
            takeHeld(context)
            closeAtEnd(context)
        }
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(answer)), promise: sent)
    }

    private func takeHeld(_ context: ChannelHandlerContext) {
        if !held.isEmpty {
            while let event = held.popFirst() {
                take(event, context)
                if state.isAnswering { return }
            }
            context.fireChannelReadComplete()
        }
        if holdsRead {
            holdsRead = false
            context.read()
        }
    }

    // MARK: - Answers of tasks

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let isEnd = if case .end = unwrapOutboundIn(data) { true } else { false }
        let sent = promise ?? context.eventLoop.makePromise()
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            lastSent = .now()
            guard isEnd else { return }
            // A request that could not be read is answered, too, and was not handed on.
            handedOn = max(0, handedOn - 1)
            lastActive = lastSent
            closeAtEnd(context)
        }
        context.write(data, promise: sent)
    }

    // MARK: - The connection's end

    private func closeAtEnd(_ context: ChannelHandlerContext) {
        if isEnding, state.isIdle, handedOn == 0 { context.close(promise: nil) }
    }

    /// Looks again and again, rarely: what it looks for is not told to it.
    private func setTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: min(deadline, .now() + limits.idle)) {
            [self] in
            if deadline <= .now() { context.close(promise: nil) } else { setTimer(context) }
        }
    }

    /// When the connection is to be closed if nothing happens.
    private var deadline: NIODeadline {
        // An answer may take its time.
        let isAnswering = state.isAnswering || handedOn > 0 && !isTakingRequest
        return min(isAnswering ? .distantFuture : lastActive + limits.idle, lastSent + limits.stall)
    }
}
