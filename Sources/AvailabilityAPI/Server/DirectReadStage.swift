import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The stage of a connection that answers direct reads, just before the one whose tasks answer the rest.
///
/// Answers leave in the order of their requests: a request that comes while a task is at work goes to the task, and
/// what comes while a read is under way is held back, and then nothing more is read from the connection.
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

    /// That the client has no more to say, or that the server is to end.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        take(.user(event), context)
    }

    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { holdsRead = true }
    }

    private func take(_ event: Event, _ context: ChannelHandlerContext) {
        if case .reading = state {
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
            // One who does not read its answers is left to a task, which waits for it.
            if handedOn == 0, context.channel.isWritable, let question = reads.question(request) {
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
        state = .idle
        if let answer = reads.answer(request, question, result) {
            context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
            if answer.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(answer.body)), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } else {
            handedOn += 1
            context.fireChannelRead(wrapInboundOut(.head(request)))
            context.fireChannelRead(wrapInboundOut(.end(nil)))
            context.fireChannelReadComplete()
        }
        takeHeld(context)
    }

    private func takeHeld(_ context: ChannelHandlerContext) {
        if !held.isEmpty {
            while let event = held.popFirst() {
                take(event, context)
                if case .reading = state { return }
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
