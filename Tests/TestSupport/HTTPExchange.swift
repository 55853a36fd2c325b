import NIOCore
import NIOPosix

/// One question and its answer in HTTP/1.1, with a server of this machine, over a connection of their own.
///
/// For chromedriver, whose header fields have no space behind the colon: URLSession on Linux refuses them.
enum HTTPExchange {
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
    }

    /// - Throws: `TestSupportError` when the answer does not come within the limit, or is none.
    static func ask(
        _ method: String, port: Int, path: String, body: [UInt8], within limit: TimeAmount
    ) async throws -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: Answer.self)
        let alarm = loop.scheduleTask(in: limit) {
            answer.fail(
                TestSupportError("no answer to \(method) \(path) within \(limit.nanoseconds / 1_000_000_000) s"))
        }
        defer { alarm.cancel() }
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            answer.fail(error)
            throw error
        }
        defer { channel.close(promise: nil) }
        var request = ByteBuffer(
            string: """
                \(method) \(path) HTTP/1.1\r
                Host: 127.0.0.1:\(port)\r
                Content-Type: application/json; charset=utf-8\r
                Content-Length: \(body.count)\r
                \r

                """)
        request.writeBytes(body)
        channel.writeAndFlush(request, promise: nil)
        return try await answer.futureResult.get()
    }
}

/// Collects what comes until the answer is whole: its head says how long its body is.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<HTTPExchange.Answer>
    private var received = ByteBuffer()

    init(_ answer: EventLoopPromise<HTTPExchange.Answer>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let bytes = received.readableBytesView
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        let length = lines.dropFirst().compactMap { line -> Int? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
            return Int(parts[1].drop { $0 == " " })
        }
        guard words.count > 1, let status = Int(words[1]), let length = length.first else {
            return answer.fail(TestSupportError("an answer without status or length: \(lines)"))
        }
        let body = bytes[end.upperBound...]
        if body.count >= length { answer.succeed(.init(status: status, body: Array(body.prefix(length)))) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(TestSupportError("the connection was closed before the answer was whole"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
