import Domain
import Logging
import NIOCore
import ServiceLifecycle

/// Sends changes of availability to subscribers.
///
/// While there are subscribers, it polls the counters' state ten times a second and reads availability when the state
/// has changed. Listening to the channel of changes was considered: it reports a change only after the ledger has
/// recorded it, is silent when Redis loses a message or all its data, and would need the same reads. A change is sent
/// at most 100 ms and two round trips after the gate decided it, regardless of the rate of changes.
actor LiveAvailability: Service {
    private let reader: AvailabilityReader
    private let metrics: APIMetrics
    private let unread: UnreadBytes
    private let logger: Logger
    private let pace: Pace

    struct Pace: Sendable {
        /// Between two polls of the counters. A poll sends a product's availability at most once.
        var interval = Duration.milliseconds(100)
        var heartbeat = Duration.seconds(10)
        /// Maximum number of counters read per poll. If more are watched, they are read in turn.
        var counters = 4_000
    }

    /// A product that has subscribers.
    private struct Watch {
        var availability: ProductAvailability
        var version: SnapshotVersion
        /// A subscriber received availability that differs from this: the next poll sends what it reads, changed or
        /// not.
        var sendsNext = false
        var subscribers: [ObjectIdentifier: Subscriber] = [:]
    }

    private var watches: [Identifier: Watch] = [:]
    private var subscribers: [ObjectIdentifier: Subscriber] = [:]
    /// The catalogue version that the watches belong to.
    private var catalogueVersion: Int64
    /// Every watched product's availability is at least as recent as this state.
    private var swept: SnapshotVersion?
    /// Products that must still be read before `swept` can become `sweeping`.
    private var unswept: [Identifier] = []
    private var sweeping: SnapshotVersion?
    /// Some subscribers' initial availability has not been compared by a poll yet.
    private var wantsSweep = false
    /// Why the last poll failed, as text for shoppers.
    private var failure: String?
    /// All availability must be sent, changed or not, because it could not be read for a while.
    private var sendsAll = false
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

    /// A subscriber whose first event is a full snapshot: the current availability of all its products. This holds for
    /// a reconnecting client, too: deltas would require a process that has seen every change, and this one polls ten
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
        // Without subscribers there were no polls, so the last failure is stale.
        if subscribers.isEmpty { failure = nil }
        // A concurrent poll may have read a later state than this snapshot.
        wantsSweep = true
        for availability in availability { watch(availability, version, by: subscriber) }
        subscribers[ObjectIdentifier(subscriber)] = subscriber
        countSubscribers()
        // Every catalogue opens an epoch: a client that reconnects from another epoch may have missed a new catalogue.
        if let lastEventID, lastEventID.epoch != version.epoch {
            subscriber.offer(counted(ServerSentEvent.catalogue(version.catalogue)))
        }
        subscriber.offer(counted(ServerSentEvent.availability(availability, version)))
        if let failure { subscriber.offer(counted(ServerSentEvent.unavailable(failure))) }
        ring.yield()
        return subscriber
    }

    /// The current number of subscribers, readable from outside the actor.
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

    /// Sends the current availability again to a subscriber that has missed events.
    func catchUp(_ subscriber: Subscriber) {
        metrics.countMissed()
        subscriber.restart { missed in
            [ServerSentEvent.missed(missed), current(subscriber.products)].compactMap { $0.map(counted) }
        }
    }

    /// Counts an event once, for any number of subscribers.
    private func counted(_ event: ByteBuffer) -> CountedBuffer { CountedBuffer(event, unread) }

    private func watch(_ availability: ProductAvailability, _ version: SnapshotVersion, by subscriber: Subscriber) {
        let id = availability.product.id
        let subscriberID = ObjectIdentifier(subscriber)
        guard var known = watches[id] else {
            watches[id] = Watch(availability: availability, version: version, subscribers: [subscriberID: subscriber])
            return
        }
        // The remaining subscribers receive this availability from the next poll.
        if known.availability.availability != availability.availability { known.sendsNext = true }
        known.subscribers[subscriberID] = subscriber
        watches[id] = known
    }

    /// One event with the availability of `products` that was sent last; nil without any.
    private func current(_ products: [ProductView]) -> ByteBuffer? {
        let known = products.compactMap { watches[$0.id] }
        // The event as a whole is only as recent as its oldest part.
        return known.map(\.version).min { EventID($0) < EventID($1) }
            .map { ServerSentEvent.availability(known.map(\.availability), $0) }
    }

    // MARK: - Polling

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
            // The stream of a subscriber that does not read would never end.
            if subscriber.isBehind { subscriber.disconnect() }
            subscriber.end()
        }
    }

    private func poll() async {
        let clock = ContinuousClock()
        var nextBeat = clock.now + pace.heartbeat
        // An element means that there is a subscriber. The stream finishes at shutdown.
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

    /// Reads what has changed since the last poll, and sends it.
    private func pollOnce() async {
        do {
            let (view, _, snapshot) = try await reader.read { _ in [] }
            adopt(view)
            let isNews = swept.map { !$0.isSameState(as: snapshot.version) } ?? true
            if isNews || sendsAll || wantsSweep {
                try await sweep(upTo: snapshot.version)
            } else {
                swept = snapshot.version
            }
            failure = nil
        } catch {
            let reason = (error as? AvailabilityUnavailable)?.description ?? "availability cannot be read"
            if failure == nil {
                logger.warning("live availability is stale", metadata: ["reason": "\(reason)"])
                tellAll(ServerSentEvent.unavailable(reason))
                (swept, unswept, sendsAll) = (nil, [], true)
            }
            failure = reason
        }
    }

    /// Reads watched products up to the limit of one poll, starting where the last poll stopped.
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
        sendsAll = false
    }

    private func take(_ availability: ProductAvailability, _ version: SnapshotVersion) {
        guard var watch = watches[availability.product.id] else { return }
        let isNews = watch.availability.availability != availability.availability
        let isOtherSource = watch.version.source != version.source
        watch.version = version
        if isNews || isOtherSource || sendsAll || watch.sendsNext {
            watch.availability = availability
            // The event's id is the state that all products have reached: a client may reconnect with it.
            let event = counted(
                ServerSentEvent.availability([availability], version, id: sweeping.map { EventID($0) }))
            // A poll that began before a subscriber's first snapshot has nothing for that subscriber; the next one has.
            let receivers = watch.subscribers.values.filter { $0.since <= EventID(version) }
            for subscriber in receivers { subscriber.offer(event) }
            watch.sendsNext = receivers.count < watch.subscribers.count
            metrics.countEvents(receivers.count)
        }
        watches[availability.product.id] = watch
    }

    /// Switches to a different catalogue and announces it to all subscribers.
    private func adopt(_ view: CatalogueView) {
        guard view.version != catalogueVersion else { return }
        catalogueVersion = view.version
        // A ledger that replaced another one may lack some products.
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
