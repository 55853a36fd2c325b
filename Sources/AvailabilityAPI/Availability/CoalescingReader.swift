import Concurrency
import Domain
import NIOCore
import RedisClient
import Synchronization

/// Reads of figures that share round trips: while `roundTrips` of them are under way, new requests are collected, and
/// the next round trip answers them together.
final class CoalescingReader: Sendable {
    private let source: AvailabilitySource
    private let metrics: APIMetrics
    /// Under way at a time. With a second one a request that comes just after the first waits less; a read costs no
    /// more.
    private static let roundTrips = 2
    /// Where the connection to Redis lives: on Swift's own threads a round trip would wake two more of them.
    private let tasks: EventLoopTasks
    private let state = Mutex(State())

    /// What one round trip has brought.
    final class Snapshot: Sendable {
        let version: SnapshotVersion
        private let availability: [ObjectIdentifier: ProductAvailability]

        fileprivate init(_ version: SnapshotVersion, _ availability: [ObjectIdentifier: ProductAvailability]) {
            self.version = version
            self.availability = availability
        }

        /// nil where the product is not on sale yet: the consumer has not come to its catalogue.
        /// - Throws: `AvailabilityUnavailable` where figures must be there and are not.
        func availability(of product: ProductView) throws -> ProductAvailability? {
            if let availability = self[product] { return availability }
            guard product.version == version.catalogue else { return nil }
            throw AvailabilityUnavailable(description: "a counter is missing; the consumer installs them again")
        }

        /// nil where it has no figures, for whatever reason.
        subscript(_ product: ProductView) -> ProductAvailability? { availability[ObjectIdentifier(product)] }
    }

    private struct State {
        var underWay = 0
        var next = Round()
    }

    /// Requests that are answered together.
    private struct Round: Sendable {
        var products: [ObjectIdentifier: ProductView] = [:]
        var waiting: [Waiting] = []

        struct Waiting: Sendable {
            /// nil: wherever.
            var eventLoop: (any EventLoop)?
            var whenRead: WhenRead
        }

        /// All at once on each event loop; other event loops first, as they work in parallel to this one.
        func finish(with result: Result<Snapshot, any Error>) {
            var here: [WhenRead] = []
            var elsewhere: [ObjectIdentifier: (eventLoop: any EventLoop, all: [WhenRead])] = [:]
            for reader in waiting {
                if let eventLoop = reader.eventLoop, !eventLoop.inEventLoop {
                    elsewhere[ObjectIdentifier(eventLoop), default: (eventLoop, [])].all.append(reader.whenRead)
                } else {
                    here.append(reader.whenRead)
                }
            }
            for (eventLoop, all) in elsewhere.values {
                eventLoop.execute { for whenRead in all { whenRead(result) } }
            }
            for whenRead in here { whenRead(result) }
        }
    }

    typealias WhenRead = @Sendable (Result<Snapshot, any Error>) -> Void

    /// Where the connection to Redis lives.
    var eventLoop: any EventLoop { tasks.eventLoop }

    init(_ source: AvailabilitySource, metrics: APIMetrics) {
        self.source = source
        self.metrics = metrics
        tasks = EventLoopTasks(source.counters.client.eventLoop)
    }

    /// The figures of `products` at one moment, which is not before the call.
    /// - Throws: `AvailabilityUnavailable`.
    func read(_ products: some Sequence<ProductView> & Sendable) async throws -> Snapshot {
        try await withCheckedThrowingContinuation { continuation in
            read(products) { continuation.resume(with: $0) }
        }
    }

    /// The same for callers that have no task.
    /// - Parameter whenRead: called once, on `eventLoop`; nil: from wherever.
    func read(
        _ products: some Sequence<ProductView>, on eventLoop: (any EventLoop)? = nil,
        _ whenRead: @escaping WhenRead
    ) {
        let begins = state.withLock { state in
            for product in products { state.next.products[ObjectIdentifier(product)] = product }
            state.next.waiting.append(.init(eventLoop: eventLoop, whenRead: whenRead))
            guard state.underWay < Self.roundTrips else { return false }
            state.underWay += 1
            return true
        }
        // An unstructured task: the first caller may be cancelled, and the others still need the result.
        if begins { Task(executorPreference: tasks) { await self.run() } }
    }

    private func run() async {
        while let round = next() {
            do {
                let snapshot = try await read(round)
                metrics.countReads(round.waiting.count, from: snapshot.version.source)
                round.finish(with: .success(snapshot))
            } catch {
                metrics.countReads(round.waiting.count, from: nil)
                round.finish(with: .failure(error))
            }
        }
    }

    private func next() -> Round? {
        state.withLock { state in
            if state.next.waiting.isEmpty {
                state.underWay -= 1
                return nil
            }
            defer { state.next = Round() }
            return state.next
        }
    }

    private func read(_ round: Round) async throws -> Snapshot {
        let products = Array(round.products.values)
        let (version, states) = try await source.read(products.map(\.counters))
        var availability: [ObjectIdentifier: ProductAvailability] = [:]
        availability.reserveCapacity(products.count)
        var start = 0
        for product in products {
            let end = start + product.counters.count
            availability[ObjectIdentifier(product)] = ProductAvailability(
                product, states[start..<end], catalogue: version.catalogue)
            start = end
        }
        assert(start == states.count, "as many counters as were asked for, a product's together")
        return Snapshot(version, availability)
    }
}
