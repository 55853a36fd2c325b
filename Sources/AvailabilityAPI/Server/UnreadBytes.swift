import Metrics
import NIOCore
import Synchronization

/// Counts the bytes buffered for clients that have not read them, and bounds their sum over all connections.
///
/// It counts bytes that sockets have not accepted: responses per connection, events once for all connections that wait
/// for the same one. Above the bound the connections that are furthest behind are closed, and no response with
/// availability is started until there is room. The kernel's buffer of each connection is not included
/// (`HTTPConnection.kernelBytes`).
package final class UnreadBytes: Sendable {
    private let limit: Int
    private let bytes = Atomic(0)
    private let relief = Mutex(Relief())
    private let gauge: Gauge
    private let forRoom: Counter
    private let stalled: Counter

    /// The state of a round that closes connections.
    private struct Relief {
        /// One for each event loop that has had a connection.
        var slowReaders: [ObjectIdentifier: NIOLoopBound<SlowReaders>] = [:]
        /// Event loops that have not finished their step of the round; 0 if no round is in progress.
        var inProgress = 0
        /// More bytes were added during the round, which may have missed them: another round must follow.
        var isWantedAgain = false
        private var candidates: [SlowReaders.Candidate] = []

        /// Adds the candidates of one event loop.
        /// - Returns: the candidates of all event loops, if this was the last one, and nil otherwise. `inProgress` then
        ///   remains 1, so that no other round begins before `cutOff(among:)` has chosen.
        mutating func name(_ candidates: [SlowReaders.Candidate]) -> [SlowReaders.Candidate]? {
            self.candidates += candidates
            guard inProgress == 1 else {
                inProgress -= 1
                return nil
            }
            defer { self.candidates = [] }
            return self.candidates
        }
    }

    /// Why a connection is cut off.
    enum Reason {
        /// The bound was exceeded.
        case room
        /// Its client has received nothing for too long.
        case stalled
    }

    /// - Parameters:
    ///   - limit: in bytes.
    ///   - factory: nil for the process-wide one.
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

    /// Bytes to free if the bound is exceeded. Frees an eighth of it in addition, so that not every following response
    /// closes another connection.
    private var excess: Int { isExceeded ? count - limit / 8 * 7 : 0 }

    /// - Parameter number: negative for bytes that were accepted or dropped.
    func add(_ number: Int) { bytes.add(number, ordering: .relaxed) }

    func countCutOff(_ reason: Reason) {
        switch reason {
        case .room: forRoom.increment()
        case .stalled: stalled.increment()
        }
    }

    /// Updates the metric.
    package func record() { gauge.record(count) }

    /// The slow readers on `eventLoop`, on which the caller must run.
    func slowReaders(on eventLoop: any EventLoop) -> SlowReaders {
        relief.withLock { relief in
            if let known = relief.slowReaders[ObjectIdentifier(eventLoop)] { return known }
            let new = NIOLoopBound(SlowReaders(self, on: eventLoop), eventLoop: eventLoop)
            relief.slowReaders[ObjectIdentifier(eventLoop)] = new
            return new
        }.value
    }

    /// Closes connections if the bound is exceeded. First each event loop names its candidates, in its next tick. Then
    /// the worst of all event loops are chosen, so that a client that reads is not closed in place of one on another
    /// event loop that does not.
    func relieve() {
        guard isExceeded else { return }
        let loops: [NIOLoopBound<SlowReaders>] = relief.withLock { relief in
            relief.isWantedAgain = relief.inProgress > 0
            guard !relief.isWantedAgain else { return [] }
            relief.inProgress = relief.slowReaders.count
            return Array(relief.slowReaders.values)
        }
        for loop in loops {
            loop.eventLoop.execute {
                let named = loop.value.candidates()
                if let all = self.relief.withLock({ $0.name(named) }) { self.cutOff(among: all) }
            }
        }
    }

    private func cutOff(among candidates: [SlowReaders.Candidate]) {
        var excess = excess
        let chosen = candidates.sorted().prefix { candidate in
            defer { excess -= candidate.bytes }
            return excess > 0
        }
        let perLoop = Dictionary(grouping: chosen, by: \.loop)
        let loops = relief.withLock { relief in
            relief.inProgress = perLoop.count
            return relief.slowReaders
        }
        // There is nothing to close: the remaining bytes are events that have not been written to any socket yet.
        if perLoop.isEmpty { relieveIfWantedAgain() }
        for (key, candidates) in perLoop {
            // Always found: event loops are never removed.
            guard let loop = loops[key] else { continue }
            loop.eventLoop.execute {
                loop.value.cutOff(candidates)
                let isLast = self.relief.withLock { relief in
                    relief.inProgress -= 1
                    return relief.inProgress == 0
                }
                if isLast { self.relieveIfWantedAgain() }
            }
        }
    }

    private func relieveIfWantedAgain() {
        let isWanted = relief.withLock { relief in
            defer { relief.isWantedAgain = false }
            return relief.isWantedAgain
        }
        if isWanted { relieve() }
    }
}

/// Bytes that any number of connections may wait for. They are counted once, until the last connection releases them.
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

/// The connections of one event loop whose sockets have not accepted all bytes.
final class SlowReaders {
    /// The round trip to a distant client over a busy line may take this long.
    private static let roundTrip = TimeAmount.seconds(2)

    private let unread: UnreadBytes
    private let loop: ObjectIdentifier
    private var stages: [ObjectIdentifier: (number: Int, stage: FastPathHandler)] = [:]
    /// Identifies each entry: a later handler may get the address of one that was freed.
    private var numbers = 0

    init(_ unread: UnreadBytes, on loop: any EventLoop) {
        (self.unread, self.loop) = (unread, ObjectIdentifier(loop))
    }

    func insert(_ stage: FastPathHandler) {
        numbers += 1
        stages[ObjectIdentifier(stage)] = (numbers, stage)
    }

    func remove(_ stage: FastPathHandler) { stages[ObjectIdentifier(stage)] = nil }

    func countCutOff(_ reason: UnreadBytes.Reason) { unread.countCutOff(reason) }

    /// Counts bytes of responses, and frees memory if the bound is exceeded.
    /// - Parameter bytes: negative for bytes that were accepted or dropped.
    func add(_ bytes: Int) {
        unread.add(bytes)
        if bytes > 0 { unread.relieve() }
    }

    /// A connection that could be closed to free memory.
    struct Candidate: Comparable {
        let loop: ObjectIdentifier
        /// The number of its handler in `stages`.
        let stage: Int
        /// Whether its client has acknowledged bytes recently.
        let isTaking: Bool
        let lastSent: NIODeadline
        /// Written bytes that its socket has not accepted yet.
        let remaining: Int
        /// Bytes that closing it frees.
        let bytes: Int

        /// Sorts in the order of closing: first clients that take nothing, the longest idle first; then those with the
        /// most remaining bytes.
        static func < (one: Self, other: Self) -> Bool {
            guard one.isTaking == other.isTaking else { return other.isTaking }
            guard one.isTaking, one.remaining != other.remaining else { return one.lastSent < other.lastSent }
            return one.remaining > other.remaining
        }
    }

    func candidates() -> [Candidate] {
        stages.values.map { number, stage in
            // Two checks may be less than a round trip apart, even for a client that reads everything it receives.
            let isTaking = stage.clientHasTaken() || NIODeadline.now() - stage.lastSent < Self.roundTrip
            return Candidate(
                loop: loop, stage: number, isTaking: isTaking, lastSent: stage.lastSent, remaining: stage.remaining,
                bytes: stage.unreadBytes)
        }
    }

    func cutOff(_ candidates: [Candidate]) {
        let numbers = Set(candidates.map(\.stage))
        // The filter copies the entries: closing a connection removes its own.
        for (_, stage) in stages.values.filter({ numbers.contains($0.number) }) { stage.cutOff() }
    }
}
