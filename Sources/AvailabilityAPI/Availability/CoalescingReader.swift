import Concurrency
import Domain
import NIOCore
import RedisClient
import Synchronization

/// Lets concurrent reads of availability share round trips: while `roundTrips` are in flight, new requests are
/// collected, and the next round trip serves them together.
final class CoalescingReader: Sendable {
    private let source: AvailabilitySource
    private let metrics: APIMetrics
    /// Maximum number of round trips in flight. The second shortens the wait of a request that arrives just after the
    /// first began; the cost per read stays the same.
    private static let roundTrips = 2
    /// The executor of the round trips: the event loop of the Redis connection. On Swift's global executor, each round
    /// trip would wake two more threads.
    private let tasks: EventLoopTasks
    private let state = Mutex(State())

    /// The result of one round trip.
    final class Snapshot: Sendable {
        let version: SnapshotVersion
        private let availability: [ObjectIdentifier: ProductAvailability]

        fileprivate init(_ version: SnapshotVersion, _ availability: [ObjectIdentifier: ProductAvailability]) {
            self.version = version
            self.availability = availability
        }

        /// nil if the product is not on sale yet because the consumer has not reached its catalogue.
        /// - Throws: `AvailabilityUnavailable` if availability must exist but is missing.
        func availability(of product: ProductView) throws -> ProductAvailability? {
            if let availability = self[product] { return availability }
            guard product.version == version.catalogue else { return nil }
            throw AvailabilityUnavailable(description: "a counter is missing; the consumer installs them again")
        }

        /// nil if the product has no availability, for whatever reason.
        subscript(_ product: ProductView) -> ProductAvailability? { availability[ObjectIdentifier(product)] }
    }

    private struct State {
        var inProgress = 0
        var next = Round()
    }

    /// Requests that one round trip serves.
    private struct Round: Sendable {
        var products: [ObjectIdentifier: ProductView] = [:]
        var waiting: [Waiting] = []

        struct Waiting: Sendable {
            /// Where to call `whenRead`; nil allows any thread.
            var eventLoop: (any EventLoop)?
            var whenRead: WhenRead
        }

        /// Calls all callbacks of an event loop in one task; starts the other event loops first, because they run in
        /// parallel with this one.
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

    /// The event loop of the Redis connection.
    var eventLoop: any EventLoop { tasks.eventLoop }

    init(_ source: AvailabilitySource, metrics: APIMetrics) {
        self.source = source
        self.metrics = metrics
        tasks = EventLoopTasks(source.counters.client.eventLoop)
    }

    /// The availability of `products` in a snapshot that is not older than the call.
    /// - Throws: `AvailabilityUnavailable`.
    func read(_ products: some Sequence<ProductView> & Sendable) async throws -> Snapshot {
        try await withCheckedThrowingContinuation { continuation in
            read(products) { continuation.resume(with: $0) }
        }
    }

    /// Like `read(_:)`, for callers outside a task.
    /// - Parameter whenRead: called once, on `eventLoop`; on any thread if that is nil.
    func read(
        _ products: some Sequence<ProductView>, on eventLoop: (any EventLoop)? = nil,
        _ whenRead: @escaping WhenRead
    ) {
        let begins = state.withLock { state in
            for product in products { state.next.products[ObjectIdentifier(product)] = product }
            state.next.waiting.append(.init(eventLoop: eventLoop, whenRead: whenRead))
            guard state.inProgress < Self.roundTrips else { return false }
            state.inProgress += 1
            return true
        }
        // An unstructured task: the first caller may be cancelled while the remaining ones still need the result.
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
                state.inProgress -= 1
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
        assert(start == states.count, "one state per requested counter, grouped by product")
        return Snapshot(version, availability)
    }
}
