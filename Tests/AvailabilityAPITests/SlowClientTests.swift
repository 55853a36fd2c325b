import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing

@testable import AvailabilityAPI

/// Clients that read slowly or not at all, over real sockets.
@Suite struct SlowClientTests {
    /// Answers each request in one write, as the routes do.
    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let bytes: Int
        private let answered: Count

        init(_ bytes: Int, _ answered: Count) { (self.bytes, self.answered) = (bytes, answered) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["Content-Length": "\(bytes)"])
            let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            answered.add()
        }
    }

    private func withServer(
        responding bytes: Int, _ unread: UnreadBytes, _ answered: Count = Count(),
        limits: FastPathHandler.Limits = .init(idle: .seconds(60), stall: .seconds(120)),
        _ body: (HTTPAddress) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    HTTPConnection.boundKernel(channel)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: false)
                    let stage = FastPathHandler(
                        nil, limits: limits, slowReaders: unread.slowReaders(on: channel.eventLoop))
                    try pipeline.addHandlers(stage, Answerer(bytes, answered))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await body(HTTPAddress(host: "127.0.0.1", port: try #require(server.localAddress?.port)))
        try await server.close()
        try await eventually("nothing is held when all are gone") { unread.count == 0 }
    }

    private func ask(_ address: HTTPAddress) async throws -> TestSupport.HTTPConnection {
        let connection = try await TestSupport.HTTPConnection.connect(to: address, reads: false)
        connection.send("GET", "/")
        return connection
    }

    /// Whether the server has closed it: a client that does not read learns that when it sends.
    private func isGone(_ connection: TestSupport.HTTPConnection) -> Bool {
        if !connection.isClosed { connection.send("x") }
        return connection.isClosed
    }

    @Test("A client that reads slowly gets a whole response; one that reads nothing is disconnected")
    func progress() async throws {
        let (bytes, unread) = (6 << 20, UnreadBytes(limit: .max))
        let limits = FastPathHandler.Limits(idle: .seconds(60), stall: .milliseconds(1_600))
        try await withServer(responding: bytes, unread, limits: limits) { address in
            let (slow, deaf) = (try await ask(address), try await ask(address))
            let began = ContinuousClock.now
            // Several times as long as a response may be stalled.
            slow.startReading(every: .milliseconds(5))
            try await eventually(within: .seconds(30), "the end of the one that does not read") { isGone(deaf) }
            let reply = try await slow.reply(within: .seconds(60))
            #expect(reply.body.count == bytes)
            #expect(ContinuousClock.now - began > .seconds(4))
            slow.close()
        }
    }

    @Test("Above the limit the connections that read nothing are closed first; the count stays below it")
    func bound() async throws {
        let (bytes, limit) = (4 << 20, 17 << 20)
        let (unread, answered) = (UnreadBytes(limit: limit), Count())
        try await withServer(responding: bytes, unread, answered) { address in
            var deaf: [TestSupport.HTTPConnection] = []
            for number in 1...3 {
                deaf.append(try await ask(address))
                try await eventually("its answer is held") { unread.count == number * bytes }
            }
            let slow = try await ask(address)
            slow.startReading(every: .milliseconds(2))
            try await eventually("the slow one has a part") { slow.receivedBytes > 1 << 20 }
            for _ in 0..<10 {
                deaf.append(try await ask(address))
                let asked = deaf.count + 1
                try await eventually("it is answered") { answered.value == asked }
                // Plus the latest response, for which no room has been made yet.
                #expect(unread.count <= limit + bytes)
                try await eventually("there is room") { unread.count <= limit }
            }
            // Concurrently: each event loop counts several before it makes room.
            for _ in 0..<10 { deaf.append(try await ask(address)) }
            let asked = deaf.count + 1
            try await eventually("all are answered, and there is room") {
                answered.value == asked && unread.count <= limit
            }
            try await eventually("the first are closed") { deaf.prefix(10).filter { !isGone($0) }.isEmpty }
            #expect(try await slow.reply(within: .seconds(60)).body.count == bytes)
            for connection in deaf + [slow] { connection.close() }
        }
    }

    @Test("A client that sends more requests before it reads is answered one at a time, but completely")
    func pipelining() async throws {
        let (bytes, unread) = (2 << 20, UnreadBytes(limit: .max))
        try await withServer(responding: bytes, unread) { address in
            let client = try await ask(address)
            for _ in 0..<9 { client.send("GET", "/") }
            try await eventually("the first answer is held") { unread.count > 0 }
            client.startReading()
            for _ in 0..<10 {
                #expect(try await client.reply().body.count == bytes)
                #expect(unread.count <= bytes)
            }
            client.close()
        }
    }

    @Test("A shared event counts once until its last recipient has it")
    func events() async throws {
        let unread = UnreadBytes(limit: .max)
        func subscriber() throws -> Subscriber {
            Subscriber(products: [], since: try #require(EventID("1.1"))) {}
        }
        let subscribers = [try subscriber(), try subscriber(), try subscriber()]
        let bytes = ServerSentEvent.catalogue(1)
        do {
            let event = CountedBuffer(bytes, unread)
            for subscriber in subscribers { subscriber.offer(event) }
        }
        for subscriber in subscribers {
            #expect(unread.count == bytes.readableBytes)
            guard case .events(let events) = await subscriber.next() else { continue }
            #expect(events.count == 1)
        }
        #expect(unread.count == 0)
    }
}
