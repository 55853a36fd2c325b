import Metrics
import NIOCore
import Synchronization

/// What the process holds for clients that have not read it: counted, and bounded over all connections.
///
/// What sockets have not taken is counted: answers for each connection, events once for all connections that wait for
/// the same. Above the bound the connections that are furthest behind are closed, and no answer with figures is begun
/// until there is room. What the kernel holds of each connection comes on top (`HTTPConnection.kernelBytes`).
package final class UnreadBytes: Sendable {
    private let limit: Int
    private let bytes = Atomic(0)
    /// One for each event loop that has had a connection.
    private let laggards = Mutex<[ObjectIdentifier: NIOLoopBound<Laggards>]>([:])
    /// Event loops that have yet to make room.
    private let underWay = Atomic(0)
    private let gauge: Gauge
    private let forRoom: Counter
    private let stalled: Counter

    /// Why a connection is cut off.
    enum Reason {
        /// The bound.
        case room
        /// Its client has taken nothing for too long.
        case stalled
    }

    /// - Parameters:
    ///   - limit: bytes.
    ///   - factory: where metrics go; nil: to the process' own.
    package init(limit: Int, metrics factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        self.limit = limit
        gauge = Gauge(label: "stocktake_http_unread_bytes", factory: factory)
        gauge.record(0)
        func cutOff(_ reason: String) -> Counter {
            Counter(label: "stocktake_http_cut_off_total", dimensions: [("reason", reason)], factory: factory)
        }
        (forRoom, stalled) = (cutOff("buffer"), cutOff("stalled"))
    }

    var count: Int { bytes.load(ordering: .relaxed) }

    var isExceeded: Bool { count > limit }

    /// What has to go when the bound is exceeded: an eighth of it, so that not every answer after that closes one more.
    fileprivate var excess: Int { isExceeded ? count - limit / 8 * 7 : 0 }

    /// - Parameter number: below 0 for what was taken or dropped.
    func add(_ number: Int) { bytes.add(number, ordering: .relaxed) }

    func countCutOff(_ reason: Reason) {
        switch reason {
        case .room: forRoom.increment()
        case .stalled: stalled.increment()
        }
    }

    /// Has the metric say what is held now.
    package func record() { gauge.record(count) }

    /// Of the event loop that this runs on.
    func laggards(on eventLoop: any EventLoop) -> Laggards {
        laggards.withLock { laggards in
            if let known = laggards[ObjectIdentifier(eventLoop)] { return known }
            let new = NIOLoopBound(Laggards(self), eventLoop: eventLoop)
            laggards[ObjectIdentifier(eventLoop)] = new
            return new
        }.value
    }

    /// Makes room if there is none: each event loop its part, at its next turn.
    func relieve() {
        guard isExceeded else { return }
        let all = laggards.withLock { Array($0.values) }
        guard underWay.compareExchange(expected: 0, desired: all.count, ordering: .relaxed).exchanged else { return }
        for laggards in all {
            laggards.eventLoop.execute {
                laggards.value.relieve(among: all.count)
                self.underWay.subtract(1, ordering: .relaxed)
            }
        }
    }
}

/// Bytes that many connections may wait for: counted once, for as long as any of them does.
final class CountedBuffer: Sendable {
    let bytes: ByteBuffer
    private let unread: UnreadBytes

    init(_ bytes: ByteBuffer, _ unread: UnreadBytes) {
        (self.bytes, self.unread) = (bytes, unread)
        unread.add(bytes.readableBytes)
        unread.relieve()
    }

    deinit { unread.add(-bytes.readableBytes) }
}

/// The connections of one event loop whose sockets have not taken all.
final class Laggards {
    /// What an answer may need to a client far away, over a busy line.
    private static let roundTrip = TimeAmount.seconds(2)

    private let unread: UnreadBytes
    private var stages: [ObjectIdentifier: RequestStage] = [:]

    init(_ unread: UnreadBytes) {
        self.unread = unread
    }

    func insert(_ stage: RequestStage) { stages[ObjectIdentifier(stage)] = stage }

    func remove(_ stage: RequestStage) { stages[ObjectIdentifier(stage)] = nil }

    func countCutOff(_ reason: UnreadBytes.Reason) { unread.countCutOff(reason) }

    /// Counts bytes of answers, and has room made if there is none.
    /// - Parameter bytes: below 0 for what was taken or dropped.
    func add(_ bytes: Int) {
        unread.add(bytes)
        if bytes > 0 { unread.relieve() }
    }

    /// Closes those first whose clients take nothing, for the longest time; then those that have most before them.
    /// - Parameter loops: event loops that do this together.
    func relieve(among loops: Int) {
        var excess = unread.excess / loops
        guard excess > 0 else { return }
        var taking: [RequestStage] = []
        for stage in stages.values.sorted(by: { $0.lastSent < $1.lastSent }) where excess > 0 {
            // Two looks may be closer together than a round trip to a client that takes all it gets.
            if stage.clientHasTaken() || NIODeadline.now() - stage.lastSent < Self.roundTrip {
                taking.append(stage)
            } else {
                excess -= stage.cutOff()
            }
        }
        guard excess > 0 else { return }
        for (_, stage) in taking.map({ ($0.remaining, $0) }).sorted(by: { $0.0 > $1.0 }) where excess > 0 {
            excess -= stage.cutOff()
        }
    }
}
