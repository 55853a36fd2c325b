import NIOCore
import NIOPosix
import RedisClient
import Synchronization

/// A server on a unix socket with faults that a test scripts. It parses commands correctly; the script determines the
/// replies.
package final class FakeServer: Sendable {
    package enum Reaction: Sendable {
        case answer(String)
        case silence
        /// Closes the connection after writing this text.
        case close(after: String)
    }

    /// Receives the number of the connection (1, 2 …) and the words of the command.
    package typealias Script = @Sendable (_ connection: Int, _ command: [String]) -> Reaction

    package let url: RedisURL
    private let folder: TemporaryFolder
    private let channel: any Channel
    private let journal: Journal

    private init(folder: TemporaryFolder, path: String, channel: any Channel, journal: Journal) {
        self.folder = folder
        self.url = RedisURL(unixSocket: path)
        self.channel = channel
        self.journal = journal
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Returns how often a command was received, over all connections.
    package func count(of name: String) -> Int {
        journal.commands.withLock { commands in commands.count { $0.first == name } }
    }

    /// Starts a server.
    /// - Parameters:
    ///   - folder: the folder of its socket, `fake.sock`.
    ///   - greets: replies to CLIENT SETNAME and PING as Redis does, without calling the script.
    package static func start(
        in folder: TemporaryFolder? = nil, greets: Bool = true, _ script: @escaping Script
    ) async throws -> FakeServer {
        let folder = try folder ?? TemporaryFolder()
        let path = folder.path(of: "fake.sock")
        let journal = Journal()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let side = FakeConversation(number: journal.nextConnection(), journal: journal) {
                        connection, command in
                        switch command.first {
                        case "CLIENT" where greets: .answer("+OK\r\n")
                        case "PING" where greets: .answer("+PONG\r\n")
                        default: script(connection, command)
                        }
                    }
                    try channel.pipeline.syncOperations.addHandler(side)
                }
            }
            .bind(unixDomainSocketPath: path).get()
        return FakeServer(folder: folder, path: path, channel: channel, journal: journal)
    }
}

private final class Journal: Sendable {
    let commands = Mutex([[String]]())
    private let connections = Mutex(0)

    func nextConnection() -> Int {
        connections.withLock { connections in
            connections += 1
            return connections
        }
    }
}

/// Commands have the form of replies (arrays of bulk strings), so the parser under test parses them.
private final class FakeConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let number: Int
    private let journal: Journal
    private let script: FakeServer.Script
    private let parser = ReplyParser(maximumReplyBytes: 64 << 20)

    init(number: Int, journal: Journal, script: @escaping FakeServer.Script) {
        self.number = number
        self.journal = journal
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        // Our client sends valid commands; other input is ignored.
        try? buffer.withUnsafeReadableBytes { try parser.feed($0) }
        while let reply = try? parser.next() {
            let command = (reply.value.array ?? []).compactMap(\.string)
            journal.commands.withLock { $0.append(command) }
            switch script(number, command) {
            case .silence: break
            case .answer(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .close(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                context.close(promise: nil)
                return
            }
        }
    }
}
