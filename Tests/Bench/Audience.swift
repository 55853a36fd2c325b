import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// Subscribers to one product's live availability, which record when they learn of each order.
final class Audience: Sendable {
    private struct State {
        var schedule: SteadyPublisher?
        var firstSeq: Int64 = 1
        var latencies = Latencies()
        /// Subscribers that have received their first event, and those that have learned of the last order.
        var listening = 0
        var complete = 0
    }

    private let size: Int
    private let state = Mutex(State())
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Returns when each subscriber has received its first snapshot.
    static func gather(
        _ size: Int, at address: HTTPAddress, product: String, within limit: Duration
    ) async throws -> Audience {
        let audience = Audience(size: size)
        let bootstrap = ClientBootstrap(group: audience.group).connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Subscription(audience))
                }
            }
        let request = "GET /v1/events?product=\(product) HTTP/1.1\r\nHost: \(address)\r\n\r\n"
        for _ in 0..<size {
            let channel = try await bootstrap.connect(host: address.host, port: address.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: request))
        }
        try await eventually(within: limit, "the first snapshot of \(size) subscribers") {
            audience.state.withLock { $0.listening == size }
        }
        return audience
    }

    private init(size: Int) {
        self.size = size
    }

    func leave() async throws {
        try await group.shutdownGracefully()
    }

    /// Sets the schedule of the next orders, whose seqs start at `firstSeq`.
    func expect(_ schedule: SteadyPublisher, firstSeq: Int64) {
        state.withLock { state in
            state.schedule = schedule
            state.firstSeq = firstSeq
            state.latencies = Latencies()
            state.complete = 0
        }
    }

    /// Whether all subscribers have learned of the last order.
    var hasAll: Bool { state.withLock { $0.complete == size } }

    var latencies: Latencies { state.withLock { $0.latencies } }

    // MARK: - Reports of subscribers

    fileprivate func joined() { state.withLock { $0.listening += 1 } }

    /// A subscriber that knew of the changes up to `known` learns of those up to `seq`.
    fileprivate func learned(_ seq: Int64, known: Int64, at now: ContinuousClock.Instant) {
        state.withLock { state in
            guard let schedule = state.schedule, seq > known else { return }
            for change in max(known + 1, state.firstSeq)...seq {
                let index = Int(change - state.firstSeq)
                guard index < schedule.count else { return }
                state.latencies.record(now - schedule.intended(index))
                if index == schedule.count - 1 { state.complete += 1 }
            }
        }
    }
}

/// One subscriber. It reads only the id of an event, `EPOCH.SEQ`, because a thousand subscribers must be cheap.
private final class Subscription: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let audience: Audience
    private var line: [UInt8] = []
    private var known: Int64?

    init(_ audience: Audience) {
        self.audience = audience
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = ContinuousClock.now
        for byte in unwrapInboundIn(data).readableBytesView {
            if byte == UInt8(ascii: "\n") {
                if let seq = seqOfLine() { learned(seq, at: now) }
                line.removeAll(keepingCapacity: true)
            } else if line.count < Self.longestID {
                line.append(byte)
            }
        }
    }

    /// `id: ` and two numbers of at most 19 digits.
    private static let longestID = 48
    private static let mark = Array("id: ".utf8)

    /// The seq of a line `id: EPOCH.SEQ`. Transfer chunks are lines, too, and an event begins on a new line.
    private func seqOfLine() -> Int64? {
        guard line.starts(with: Self.mark), let dot = line.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        return Int64(String(decoding: line[(dot + 1)...], as: UTF8.self))
    }

    private func learned(_ seq: Int64, at now: ContinuousClock.Instant) {
        if let known {
            audience.learned(seq, known: known, at: now)
            self.known = max(known, seq)
        } else {
            known = seq
            audience.joined()
        }
    }
}
