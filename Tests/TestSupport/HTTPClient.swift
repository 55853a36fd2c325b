import NIOCore
import NIOPosix
import Synchronization
import TextEncodings

/// The address of a server. Requests are sent as they are written: paths, headers and bodies, valid or not.
package struct HTTPAddress: Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Extracts the address from a line like `listening on http://127.0.0.1:8080`.
    package init(in line: String) throws {
        let parts = line.split(separator: "http://", maxSplits: 1).last?.split(separator: "/").first?
            .split(separator: ":")
        guard let parts, parts.count == 2, let port = Int(parts[1].prefix { $0.isNumber }) else {
            throw TestSupportError("no address in “\(line)”")
        }
        self.init(host: String(parts[0]), port: port)
    }

    package var description: String { "\(host):\(port)" }

    /// Sends one request over a new connection.
    package func request(
        _ method: String, _ target: String, _ headers: KeyValuePairs<String, String> = [:], body: String? = nil,
        within limit: Duration = .seconds(20)
    ) async throws -> HTTPReply {
        let connection = try await HTTPConnection.connect(to: self)
        defer { connection.close() }
        connection.send(method, target, headers, body: body)
        return try await connection.reply(toHEAD: method == "HEAD", within: limit)
    }

    package func get(_ target: String, _ headers: KeyValuePairs<String, String> = [:]) async throws -> HTTPReply {
        try await request("GET", target, headers)
    }
}

/// An HTTP/1.1 connection to a server: it sends bytes and receives responses.
package final class HTTPConnection: Sendable {
    private let channel: any Channel
    private let address: HTTPAddress
    private let incoming: IncomingBytes

    private init(_ channel: any Channel, _ address: HTTPAddress, _ incoming: IncomingBytes) {
        self.channel = channel
        self.address = address
        self.incoming = incoming
    }

    deinit {
        close()
    }

    /// Connects to a server.
    /// - Parameter reads: whether the connection reads from its socket; `startReading` starts this later.
    package static func connect(to address: HTTPAddress, reads: Bool = true) async throws -> HTTPConnection {
        let incoming = IncomingBytes()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IncomingBytesHandler(incoming))
                }
            }
        if !reads {
            // Keeps the buffer between the server and a subscriber that does not read as small as possible.
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: 4_096)
        }
        let channel = try await bootstrap.connect(host: address.host, port: address.port).get()
        return HTTPConnection(channel, address, incoming)
    }

    package func startReading() {
        _ = channel.setOption(.autoRead, value: true)
        channel.read()
    }

    /// Reads a few kilobytes at a time, like a client on a bad network. For a connection that does not read.
    package func startReading(every interval: TimeAmount) {
        let channel = channel
        channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: interval) { task in
            if channel.isActive { channel.read() } else { task.cancel() }
        }
    }

    /// The number of bytes that were received and are not part of a returned response.
    package var receivedBytes: Int { incoming.count }

    package func close() { channel.close(promise: nil) }

    /// Closes the sending side: the server sees the end of input, and responses are still received.
    package func endSending() { channel.close(mode: .output, promise: nil) }

    /// Whether the server has closed the connection.
    package var isClosed: Bool { incoming.isClosed }

    /// Sends bytes unchanged.
    package func send(_ text: String) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// Sends a request with `Host`, and with `Content-Length` if there is a body, unless `headers` contains them.
    package func send(
        _ method: String, _ target: String, _ headers: KeyValuePairs<String, String> = [:], body: String? = nil,
        version: String = "1.1"
    ) {
        var text = "\(method) \(target) HTTP/\(version)\r\n"
        func has(_ name: String) -> Bool { headers.contains { $0.key.lowercased() == name } }
        if !has("host") { text += "Host: \(address)\r\n" }
        if let body, !has("content-length"), !has("transfer-encoding") {
            text += "Content-Length: \(body.utf8.count)\r\n"
        }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        send(text + "\r\n" + (body ?? ""))
    }

    /// Waits for the next complete response.
    package func reply(toHEAD: Bool = false, within limit: Duration = .seconds(20)) async throws -> HTTPReply {
        var reader = HTTPReplyReader(answersHEAD: toHEAD)
        try await eventually(within: limit, "a reply of \(address)") {
            try read(into: &reader)
            return reader.isComplete
        }
        incoming.putBack(reader.unread)
        guard let reply = reader.reply else { throw TestSupportError("no reply of \(address)") }
        return reply
    }

    /// Moves the bytes received so far into a reader.
    func read(into reader: inout HTTPReplyReader) throws {
        let (bytes, isClosed) = incoming.take()
        try reader.feed(bytes)
        if isClosed { try reader.end() }
    }
}

/// The bytes that a connection has received and that were not read yet.
private final class IncomingBytes: Sendable {
    private let state = Mutex((bytes: [UInt8](), isClosed: false))

    var isClosed: Bool { state.withLock { $0.isClosed } }

    var count: Int { state.withLock { $0.bytes.count } }

    func append(_ buffer: ByteBuffer) { state.withLock { $0.bytes += buffer.readableBytesView } }

    func close() { state.withLock { $0.isClosed = true } }

    func take() -> (bytes: [UInt8], isClosed: Bool) {
        state.withLock { state in
            defer { state.bytes = [] }
            return state
        }
    }

    func putBack(_ bytes: [UInt8]) { state.withLock { $0.bytes = bytes + $0.bytes } }
}

private final class IncomingBytesHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let incoming: IncomingBytes

    init(_ incoming: IncomingBytes) {
        self.incoming = incoming
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { incoming.append(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { incoming.close() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension String {
    /// The string, safe in any part of a URL: all but unreserved characters (RFC 3986) are percent-encoded.
    package var percentEncoded: String {
        PercentEncoding.encode(utf8) { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }
}
