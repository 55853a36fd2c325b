import Domain
import Logging
import NIOCore
import ServiceLifecycle

/// Follows the figures of the products that have subscribers, and sends them the changes.
///
/// It asks the counters for their state ten times a second while there are subscribers, and reads figures when it has
/// changed. Listening to the channel of changes was considered: it reports a change only after the ledger has it, is
/// silent when Redis loses a message or everything, and would need the reads all the same. A change is sent at most
/// 100 ms and two round trips after the gate decided it, however many changes there are.
actor LiveAvailability: Service {
    private let reader: AvailabilityReader
    private let metrics: APIMetrics
    private let unread: UnreadBytes
    private let logger: Logger
    private let pace: Pace

    struct Pace: Sendable {
        /// Between two looks at the counters: each look sends a product's figures at most once.
        var interval = Duration.milliseconds(100)
        var heartbeat = Duration.seconds(10)
        /// Counters read in one look. Where more are watched, they are read in turn.
        var counters = 4_000
    }

    /// A product that has subscribers.
    private struct Watch {
        var availability: ProductAvailability
        var version: SnapshotVersion
        /// A subscriber was sent other figures than these: the next look sends what it finds, changed or not.
        var tellsNext = false
        var subscribers: [ObjectIdentifier: Subscriber] = [:]
    }

    private var watches: [Identifier: Watch] = [:]
    private var subscribers: [ObjectIdentifier: Subscriber] = [:]
    /// The catalogue that the watches are of.
    private var catalogueVersion: Int64
    /// The state of which all watched figures are at least.
    private var swept: SnapshotVersion?
    /// Products that are still to be read before `sweeping` is `swept`.
    private var unswept: [Identifier] = []
    private var sweeping: SnapshotVersion?
    /// There are subscribers whose first figures no look has been compared with.
    private var wantsSweep = false
    /// Why the last look failed, in words for shoppers.
    private var failure: String?
    /// All figures are to be sent, changed or not: they could not be read for a while.
    private var tellsAll = false
    private var isStopped = false

    private let (rings, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(
        _ reader: AvailabilityReader, metrics: APIMetrics, subscriberCount: SubscriberCount = SubscriberCount(),
        unread: UnreadBytes, logger: Logger, pace: Pace = Pace()
    ) {
        self.reader = reader
        self.subscriberCount = subscriberCount
        self.metrics = metrics
        self.unread = unread
        self.logger = logger
        self.pace = pace
        catalogueVersion = reader.catalogue.view.version
    }

    // MARK: - Subscribers

    /// A subscriber whose first event is a full snapshot: the current figures of all its products. This holds for a
    /// reconnecting client, too: deltas would require a process that has seen every change, and this one looks ten
    /// times a second.
    /// - Throws: `AvailabilityUnavailable`; `Problem` (404).
    func subscribe(
        to ids: [Identifier], lastEventID: EventID?, disconnect: @escaping @Sendable () -> Void
    ) async throws -> Subscriber {
        let (version, availability) = try await reader.availability(of: ids)
        let subscriber = Subscriber(
            products: availability.map(\.product), since: EventID(version), disconnect: disconnect)
        if isStopped {
            subscriber.end()
            return subscriber
        }
        // Without subscribers there were no looks, so the last failure is stale.
        if subscribers.isEmpty { failure = nil }
        // A look that is under way, or has ended meanwhile, may have seen more than these figures show.
        wantsSweep = true
        for availability in availability { watch(availability, version, by: subscriber) }
        subscribers[ObjectIdentifier(subscriber)] = subscriber
        countSubscribers()
        // Every catalogue opens an epoch: one that comes back from another epoch may have missed it.
        if let lastEventID, lastEventID.epoch != version.epoch {
            subscriber.offer(counted(ServerSentEvent.catalogue(version.catalogue)))
        }
        subscriber.offer(counted(ServerSentEvent.availability(availability, version)))
        if let failure { subscriber.offer(counted(ServerSentEvent.unavailable(failure))) }
        ring.yield()
        return subscriber
    }

    /// How many watch now, for those outside.
    nonisolated let subscriberCount: SubscriberCount

    func unsubscribe(_ subscriber: Subscriber) {
        subscriber.end()
        subscribers[ObjectIdentifier(subscriber)] = nil
        countSubscribers()
        for product in subscriber.products {
            watches[product.id]?.subscribers[ObjectIdentifier(subscriber)] = nil
            if watches[product.id]?.subscribers.isEmpty ?? false { watches[product.id] = nil }
        }
    }

    private func countSubscribers() {
        subscriberCount.set(subscribers.count)
        metrics.subscribers(subscribers.count)
    }

    /// Sends the current figures again to a subscriber that has missed events.
    func catchUp(_ subscriber: Subscriber) {
        metrics.countMissed()
        subscriber.restart { missed in
            [ServerSentEvent.missed(missed), current(subscriber.products)].compactMap { $0.map(counted) }
        }
    }

    /// One event, for however many subscribers.
    private func counted(_ event: ByteBuffer) -> CountedBuffer { CountedBuffer(event, unread) }

    private func watch(_ availability: ProductAvailability, _ version: SnapshotVersion, by subscriber: Subscriber) {
        let id = availability.product.id
        let subscriberID = ObjectIdentifier(subscriber)
        guard var known = watches[id] else {
            watches[id] = Watch(availability: availability, version: version, subscribers: [subscriberID: subscriber])
            return
        }
        // The other subscribers get these figures from the next look.
        if known.availability.availability != availability.availability { known.tellsNext = true }
        known.subscribers[subscriberID] = subscriber
        watches[id] = known
    }

    /// One event with the figures of `products` that were sent last; nil without any.
    private func current(_ products: [ProductView]) -> ByteBuffer? {
        let known = products.compactMap { watches[$0.id] }
        // The oldest says how far the whole is.
        return known.map(\.version).min { EventID($0) < EventID($1) }
            .map { ServerSentEvent.availability(known.map(\.availability), $0) }
    }

    // MARK: - Looking

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await poll()
            } onCancel: {
                ring.finish()
            }
        } onGracefulShutdown: { [ring] in
            ring.finish()
        }
        isStopped = true
        for subscriber in subscribers.values {
            // One that does not read would never come to its end.
            if subscriber.isBehind { subscriber.disconnect() }
            subscriber.end()
        }
    }

    private func poll() async {
        let clock = ContinuousClock()
        var nextBeat = clock.now + pace.heartbeat
        // A ring says that there is a subscriber, or, at the end, that there is nothing to wait for.
        for await _ in rings {
            while !subscribers.isEmpty, !Task.isCancelled, !Task.isShuttingDownGracefully {
                let next = clock.now + pace.interval
                await pollOnce()
                if clock.now >= nextBeat {
                    beat()
                    nextBeat = clock.now + pace.heartbeat
                }
                try? await clock.sleep(until: next)
            }
        }
    }

    private func beat() {
        let event = counted(ServerSentEvent.heartbeat(asOf: Timestamp.now()))
        for subscriber in subscribers.values { subscriber.offer(event) }
    }

    /// Reads what has changed since the last look, and sends it.
    private func pollOnce() async {
        do {
            let (view, _, snapshot) = try await reader.read { _ in [] }
            adopt(view)
            let isNews = swept.map { !$0.isSameState(as: snapshot.version) } ?? true
            if isNews || tellsAll || wantsSweep {
                try await sweep(upTo: snapshot.version)
            } else {
                swept = snapshot.version
            }
            failure = nil
        } catch {
            let reason = (error as? AvailabilityUnavailable)?.description ?? "the figures cannot be read"
            if failure == nil {
                logger.warning("live figures stand still", metadata: ["reason": "\(reason)"])
                tellAll(ServerSentEvent.unavailable(reason))
                (swept, unswept, tellsAll) = (nil, [], true)
            }
            failure = reason
        }
    }

    /// Reads watched products until the limit of one look; goes on where the last look stopped.
    private func sweep(upTo version: SnapshotVersion) async throws {
        if unswept.isEmpty {
            unswept = Array(watches.keys)
            sweeping = version
            wantsSweep = false
        }
        var counters = 0
        let view = reader.catalogue.view
        let turn = unswept.prefix { id in
            counters += view[id]?.counters.count ?? 0
            return counters <= pace.counters
        }
        let ids = Array(turn.isEmpty ? unswept.prefix(1) : turn)
        let (_, products, snapshot) = try await reader.read { view in ids.compactMap { view[$0] } }
        for product in products {
            if let availability = snapshot[product] { take(availability, snapshot.version) }
        }
        unswept.removeFirst(min(ids.count, unswept.count))
        guard unswept.isEmpty else { return }
        swept = sweeping
        tellsAll = false
    }

    private func take(_ availability: ProductAvailability, _ version: SnapshotVersion) {
        guard var watch = watches[availability.product.id] else { return }
        let isNews = watch.availability.availability != availability.availability
        let isOtherSource = watch.version.source != version.source
        watch.version = version
        if isNews || isOtherSource || tellsAll || watch.tellsNext {
            watch.availability = availability
            // The state that all figures have reached is what a client may come back with.
            let event = counted(
                ServerSentEvent.availability([availability], version, id: sweeping.map { EventID($0) }))
            // A look that began before a subscriber's first figures were read has nothing for it; the next one has.
            let told = watch.subscribers.values.filter { $0.since <= EventID(version) }
            for subscriber in told { subscriber.offer(event) }
            watch.tellsNext = told.count < watch.subscribers.count
            metrics.countEvents(told.count)
        }
        watches[availability.product.id] = watch
    }

    /// Goes over to another catalogue, and says so.
    private func adopt(_ view: CatalogueView) {
        guard view.version != catalogueVersion else { return }
        catalogueVersion = view.version
        // Products of a ledger that was replaced may be gone.
        watches = watches.filter { view[$0.key] != nil }
        unswept = []
        swept = nil
        tellAll(ServerSentEvent.catalogue(view.version))
    }

    private func tellAll(_ event: ByteBuffer) {
        let event = counted(event)
        for subscriber in subscribers.values { subscriber.offer(event) }
        metrics.countEvents(subscribers.count)
    }
}
