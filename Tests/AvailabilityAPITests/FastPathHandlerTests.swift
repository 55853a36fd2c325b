import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import AvailabilityAPI

/// The handler that sees a connection's requests first, in isolation: without sockets, availability and tasks.
@Suite struct FastPathHandlerTests {
    /// A separate connection whose availability requests and forwarded requests are answered by the test.
    private final class Bench {
        let channel = EmbeddedChannel()
        let passedOn = Recorder()
        private var asked: [(request: AvailabilityRequest, whenMade: AvailabilityRoutes.WhenMade)] = []
        private var sent = ""

        init() throws {
            let unread = UnreadBytes(limit: .max)
            let stage = FastPathHandler(
                { [unowned self] request, _, whenMade in asked.append((request, whenMade)) },
                limits: .init(idle: .seconds(60), stall: .seconds(60)),
                slowReaders: unread.slowReaders(on: channel.eventLoop)
            )
            try channel.pipeline.syncOperations.addHandlers(
                HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder(), maximumBufferSize: 1_024), stage,
                passedOn)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/none")).wait()
        }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

        /// Sends text as the client.
        func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// The targets of availability requests that wait for a response.
        var waiting: [String] { asked.map(\.request.head.uri) }

        /// Answers the oldest availability request.
        func answerAvailability(_ response: String) { asked.removeFirst().whenMade(ByteBuffer(string: response)) }

        /// Answers the request that was forwarded.
        func response(_ status: HTTPResponseStatus = .noContent, _ fields: HTTPHeaders = [:]) {
            channel.write(
                HTTPServerResponsePart.head(.init(version: .http1_1, status: status, headers: fields)), promise: nil)
            if status.code >= 200 { channel.write(HTTPServerResponsePart.end(nil), promise: nil) }
            channel.flush()
        }

        /// What the client has received since the last call.
        func received() throws -> String {
            var text = ""
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
            return text
        }
    }

    /// Records what reaches the next handler.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        private(set) var events: [String] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): events.append("\(head.method) \(head.uri)")
            case .body(let body): events.append(String(buffer: body))
            case .end: events.append("end")
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { events.append("error") }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { events.append("\(event)") }
    }

    private static func get(_ target: String, _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
    }

    private static let (one, other) = (get("/v1/products/one"), get("/healthz"))

    // MARK: - Order

    @Test("Requests are answered one at a time and in order, by either path")
    func order() throws {
        let bench = try Bench()
        try bench.send(Self.one + Self.get("/v1/products/two") + Self.other + Self.get("/readyz") + Self.one)
        #expect(bench.waiting == ["/v1/products/one"])
        #expect(bench.passedOn.events == [])
        bench.answerAvailability("1")
        #expect(bench.waiting == ["/v1/products/two"])
        bench.answerAvailability("2")
        #expect(try bench.received() == "12")
        #expect(bench.passedOn.events == ["GET /healthz", "end"])
        bench.response()
        #expect(bench.passedOn.events == ["GET /healthz", "end", "GET /readyz", "end"])
        #expect(bench.waiting == [])
        bench.response()
        #expect(bench.waiting == ["/v1/products/one"])
        bench.answerAvailability("3")
        #expect(try bench.received() == "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n3")
        #expect(bench.channel.isActive)
    }

    @Test("Malformed input waits for the responses before it, and is answered once")
    func nonsense() throws {
        let bench = try Bench()
        try bench.send(Self.one + "\u{16}\u{3}\r\n\r\n")
        #expect(bench.passedOn.events == [])
        bench.answerAvailability("1")
        #expect(bench.passedOn.events == ["error"])
        bench.response(.badRequest, ["Content-Length": "0"])
        #expect(
            try bench.received()
                == "1HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        try bench.send(Self.one)
        #expect(bench.passedOn.events == ["error"])
        #expect(bench.waiting == [])
    }

    @Test("A response that is no longer wanted is not sent")
    func gone() throws {
        let bench = try Bench()
        try bench.send(Self.one)
        try bench.channel.close().wait()
        bench.channel.embeddedEventLoop.run()
        bench.answerAvailability("1")
        #expect(try bench.received() == "")
    }

    // MARK: - The last response

    @Test(
        "The connection closes after the response if the client requests that",
        arguments: [
            (one, "Connection: close", "close"), (other, "Connection: TE, Close", "close"),
            (other, "Connection: upgrade\r\nUpgrade: h2c", "close"), (other, "Connection: keep-alive", nil),
            (other.replacing("1.1", with: "1.0"), "Accept: x", "close"),
            (other.replacing("1.1", with: "1.0"), "Connection: keep-alive", "keep-alive"),
            (other.replacing("GET", with: "CONNECT").replacing("/healthz", with: "x:80"), "Accept: x", "close"),
        ] as [(String, String, String?)])
    func last(request: String, field: String, expected: String?) throws {
        let bench = try Bench()
        // A CRLF is one `Character`.
        try bench.send(request.dropLast() + field + "\r\n\r\n")
        if bench.waiting.isEmpty {
            bench.response(.ok, ["Content-Length": "0"])
            let version = request.contains("1.0") ? "1.0" : "1.1"
            let line = expected.map { "Connection: \($0)\r\n" } ?? ""
            #expect(try bench.received() == "HTTP/\(version) 200 OK\r\nContent-Length: 0\r\n\(line)\r\n")
        } else {
            bench.answerAvailability("1")
        }
        let before = bench.passedOn.events
        // More than is buffered of unread input.
        for _ in 0..<40 { try bench.send(Self.other) }
        #expect((bench.passedOn.events == before) == (expected == "close"))
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(bench.channel.isActive == (expected != "close"))
    }

    @Test("The connection closes after a response that is sent before the end of its request")
    func unfinished() throws {
        let bench = try Bench()
        try bench.send(Self.get("/healthz", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n")
        bench.response()
        #expect(bench.passedOn.events == ["GET /healthz", "hello"])
        // The rest of the body, which is malformed.
        try bench.send("ZZ\r\n")
        bench.response(.badRequest)
        #expect(try bench.received() == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        #expect(bench.passedOn.events == ["GET /healthz", "hello"])
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!bench.channel.isActive)
        // Availability requests are answered at once.
        let availability = try Bench()
        try availability.send(Self.get("/v1/products/one", "Content-Length: 5\r\n"))
        #expect(availability.waiting == ["/v1/products/one"])
        try availability.send("hello" + Self.one)
        availability.answerAvailability("1")
        #expect(availability.waiting == [])
        availability.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!availability.channel.isActive)
    }

    @Test("A complete body keeps the connection open, and 100 Continue does not count as the response")
    func wholeBody() throws {
        let bench = try Bench()
        try bench.send(Self.get("/v1/cart/validate", "Content-Length: 5\r\nExpect: 100-continue\r\n"))
        bench.response(.continue)
        #expect(try bench.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        try bench.send("hello" + Self.one)
        #expect(bench.passedOn.events == ["GET /v1/cart/validate", "hello", "end"])
        bench.response()
        #expect(try bench.received() == "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(bench.waiting == ["/v1/products/one"])
    }

    // MARK: - The server's shutdown

    @Test("A server that shuts down completes responses in progress, and closes idle connections")
    func ending() throws {
        let idle = try Bench()
        idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!idle.channel.isActive)
        for requests in [Self.one, Self.other] {
            let bench = try Bench()
            try bench.send(requests)
            bench.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            #expect(bench.channel.isActive)
            if bench.waiting.isEmpty { bench.response() } else { bench.answerAvailability("1") }
            #expect(!bench.channel.isActive)
            #expect(try !bench.received().isEmpty)
        }
    }

    @Test("The client's half-close is queued behind pending responses")
    func endOfInput() throws {
        let bench = try Bench()
        try bench.send(Self.one)
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(bench.passedOn.events == [])
        bench.answerAvailability("1")
        #expect(bench.passedOn.events == ["inputClosed"])
        #expect(try bench.received() == "1")
    }
}
