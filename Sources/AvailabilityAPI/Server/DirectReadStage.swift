import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The stage of a connection that answers direct reads, just before the one whose tasks answer the rest.
///
/// Answers leave in the order of their requests: a request that comes while a task is at work goes to the task, and
/// what comes while one is answered here is held back, and then nothing more is read from the connection.
final class DirectReadStage: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum State {
        case idle
        /// The end of the request has yet to come.
        case asked(HTTPRequest, DirectReads.Question)
        case reading(HTTPRequest, DirectReads.Question)
        /// The socket has yet to take all of the answer.
        case sending

        var isAnswering: Bool {
            switch self {
            case .idle, .asked: false
            case .reading, .sending: true
            }
        }
    }

    private enum Event {
        case part(HTTPRequestPart)
        case error(any Error)
        case user(Any)
    }

    private let reads: DirectReads
    private var state = State.idle
    /// Requests that were handed on, and are not answered yet.
    private var handedOn = 0
    private var held = CircularBuffer<Event>()
    private var holdsRead = false
    private var context: ChannelHandlerContext?

    init(_ reads: DirectReads) {
        self.reads = reads
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// The connection is closed: what is being read finds nobody.
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: - What comes from the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(.part(unwrapInboundIn(data)), context)
    }

    /// Bytes that are no request, say.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        take(.error(error), context)
    }

    /// That the client has no more to say: a task that is told so before its first request closes the connection, with
    /// what has yet to be sent. That the server is to end is for the stage before, which counts requests.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        take(.user(event), context)
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

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch (part, state) {
        case (.head(let request), _):
            if handedOn == 0, let question = reads.question(request) {
                state = .asked(request, question)
            } else {
                handedOn += 1
                context.fireChannelRead(wrapInboundOut(part))
            }
        case (.end, .asked(let request, let question)):
            state = .reading(request, question)
            read(question, context)
        default:
            context.fireChannelRead(wrapInboundOut(part))
        }
    }

    // MARK: - Answers

    private func read(_ question: DirectReads.Question, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let stage = NIOLoopBound(self, eventLoop: loop)
        reads.storefront.reads.read(question.products) { result in
            loop.execute { stage.value.answer(with: result) }
        }
    }

    private func answer(with result: Result<SharedReads.Reading, any Error>) {
        guard let context, case .reading(let request, let question) = state else { return }
        if let answer = reads.answer(request, question, result) {
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

    /// The end, which has no bytes, follows when the rest is sent: with it the request is done, and a connection without
    /// requests is closed as it is when the server is to end, or after the idle time.
    private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
        state = .sending
        let sent = context.eventLoop.makePromise(of: Void.self)
        // Where it fails, the connection is closed.
        sent.futureResult.assumeIsolated().whenSuccess { [self] in
            state = .idle
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            takeHeld(context)
        }
        context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(answer.body)), promise: sent)
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

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // A request that could not be read is answered, too, and was not handed on.
        if case .end = unwrapOutboundIn(data) { handedOn = max(0, handedOn - 1) }
        context.write(data, promise: promise)
    }
}
