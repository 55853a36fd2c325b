import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The pipeline of an HTTP/1.1 connection: like Hummingbird's `HTTP1Channel`, but with the availability routes near its
/// head, so that their requests pass through few handlers.
struct HTTPConnection: HTTPChannelHandler {
    let responder: Responder
    /// One for each event loop; empty if the server has none.
    let availabilityRoutes: [AvailabilityRoutes]
    let unread: UnreadBytes

    /// Event streams carry a heartbeat every ten seconds, well within the stall limit.
    private static let limits = FastPathHandler.Limits(idle: .seconds(30), stall: .seconds(60))
    /// Limits the unsent bytes that the kernel buffers per connection, in addition to those in flight: without it, the
    /// kernel takes megabytes for a client that does not read, which `UnreadBytes` cannot see.
    private static let kernelBytes: CInt = 128 << 10
    /// Limits of a request's head: a query with 200 ids fits.
    private static let headLimits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 64 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 100
        return limits
    }()
    /// The largest head fits. The decoder buffers what it does not parse: everything after a request to switch
    /// protocols.
    private static let undecodedBytes = 128 << 10

    func setup(
        channel: any Channel, logger: Logger
    ) -> EventLoopFuture<NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            Self.boundKernel(channel)
            // No handlers for pipelining, errors or validation: tasks take one request after another and send 400
            // themselves; HTTPTypes validates the fields.
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

    /// If the option cannot be set, the kernel buffers more.
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
    /// Linux's `TCP_NOTSENT_LOWAT`.
    fileprivate static let notSentLowWater = NIOBSDSocket.Option(rawValue: 25)
}

/// Converts between the types of NIO and HTTPTypes, like `HTTP1ToHTTPServerCodec`, which parses each address with
/// Foundation and so takes a fifth of the time of a read.
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

    /// Keeps the target as sent; `RequestTarget` parses it.
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
