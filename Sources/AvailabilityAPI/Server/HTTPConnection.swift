import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A connection of HTTP/1.1, stage by stage: as Hummingbird's own (`HTTP1Channel`), with the routes of figures before
/// it, so that these pass few stages.
struct HTTPConnection: HTTPChannelHandler {
    let responder: Responder
    /// One for each event loop; empty: there are none.
    let availabilityRoutes: [AvailabilityRoutes]
    let unread: UnreadBytes

    /// Subscribers are sent something every ten seconds.
    private static let limits = FastPathHandler.Limits(idle: .seconds(30), stall: .seconds(60))
    /// What the kernel keeps to be sent of one connection, beside what is on its way: else it takes megabytes for a
    /// client that does not read, which `UnreadBytes` would not see.
    private static let kernelBytes: CInt = 128 << 10
    /// A request's head: 200 ids in a query fit.
    private static let headLimits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 64 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 100
        return limits
    }()
    /// The largest head fits. The decoder gathers what it does not read: all that comes behind a request for another
    /// protocol.
    private static let undecodedBytes = 128 << 10

    func setup(
        channel: any Channel, logger: Logger
    ) -> EventLoopFuture<NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            Self.boundKernel(channel)
            // Tasks take one request after another, and send 400 themselves; fields are checked by HTTPTypes.
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(limitConfiguration: Self.headLimits), maximumBufferSize: Self.undecodedBytes)
            let availability =
                availabilityRoutes.first { $0.eventLoop === channel.eventLoop } ?? availabilityRoutes.first
            let stage = FastPathHandler(
                availability?.respond, limits: Self.limits, slowReaders: unread.slowReaders(on: channel.eventLoop))
            try pipeline.addHandlers(HTTPResponseEncoder(), decoder, stage, HTTPTypesCodec())
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// Where that cannot be set, the kernel takes more.
    static func boundKernel(_ channel: any Channel) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        _ = socket.unsafeSetSocketOption(
            level: NIOBSDSocket.OptionLevel.tcp, name: .notSentLowWater, value: kernelBytes)
    }

    func handle(value: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}

extension NIOBSDSocket.Option {
    /// `TCP_NOTSENT_LOWAT`, as Linux has it.
    fileprivate static let notSentLowWater = NIOBSDSocket.Option(rawValue: 25)
}

/// Between NIO's types and HTTPTypes', as `HTTP1ToHTTPServerCodec`; that one has Foundation take each address apart,
/// which is a fifth of a read.
private final class HTTPTypesCodec: ChannelDuplexHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            do {
                context.fireChannelRead(wrapInboundOut(.head(try Self.request(head))))
            } catch {
                context.fireErrorCaught(error)
            }
        case .body(let body): context.fireChannelRead(wrapInboundOut(.body(body)))
        case .end(let trailers):
            context.fireChannelRead(wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
        }
    }

    /// With the target as it was sent: `RequestTarget` takes it apart.
    private static func request(_ head: HTTPRequestHead) throws -> HTTPRequest {
        HTTPRequest(
            method: try HTTPRequest.Method(head.method), scheme: "http", authority: head.headers["Host"].first,
            path: head.uri, headerFields: HTTPFields(head.headers, splitCookie: false))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let response): .head(HTTPResponseHead(response))
            case .body(let body): .body(.byteBuffer(body))
            case .end(let trailers): .end(trailers.map { HTTPHeaders($0) })
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
