import Inventory
import Logging
import NIOCore
import ServiceLifecycle

/// Follows the figures of the products that somebody watches, and tells those who do.
///
/// It asks the counters for their state ten times a second while there are subscribers, and reads figures when it has
/// changed. Listening to the channel of changes was considered: it tells a change only after the ledger has it, is
/// silent when Redis loses a message or everything, and would need the reads all the same. A change is told at most
/// 100 ms and two round trips after the gate decided it, however many changes there are.
actor LiveFigures: Service {
    private let storefront: Storefront
    private let metrics: APIMetrics
    private let logger: Logger
    private let pace: Pace

    struct Pace: Sendable {
        /// Between two looks at the counters: a product's figures are told once in each.
        var interval = Duration.milliseconds(100)
        var heartbeat = Duration.seconds(10)
        /// Heartbeats at which something still waited for a subscriber before its connection is closed.
        var stalls = 3
        /// Counters read in one look. Where more are watched, they are read in turn.
        var counters = 4_000
    }

    /// A product that somebody watches, or did a moment ago.
    private struct Watch {
        var figures: ProductFigures
        var moment: Moment
        /// The state in which these figures were first seen: not before they changed.
        var changed: EventID
        var subscribers: [ObjectIdentifier: Subscriber] = [:]
    }

    private var watches: [Identifier: Watch] = [:]
    private var subscribers: [ObjectIdentifier: Subscriber] = [:]
    /// The catalogue that the watches are of.
    private var catalogueVersion: Int64
    /// The state of which all watched figures are at least.
    private var swept: Moment?
    /// Products that are still to be read before `sweeping` is `swept`.
    private var unswept: [Identifier] = []
    private var sweeping: Moment?
    /// Why the last look failed.
    private var failure: FiguresUnavailable?
    /// All figures are to be told, changed or not: they could not be read for a while.
    private var tellsAll = false
    private var isStopped = false

    /// Watches without subscribers that are kept, for those who come back.
    private static let keptWatches = 1_000

    private let (rings, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(
        _ storefront: Storefront, metrics: APIMetrics, subscriberCount: SubscriberCount = SubscriberCount(),
        logger: Logger, pace: Pace = Pace()
    ) {
        self.storefront = storefront
        self.subscriberCount = subscriberCount
        self.metrics = metrics
        self.logger = logger
        self.pace = pace
        catalogueVersion = storefront.catalogue.view.version
    }

    // MARK: - Subscribers

    /// A subscriber whose first events are the current figures: of all products, or, for one that comes back, of those
    /// that have changed since.
    /// - Throws: `FiguresUnavailable`; `Problem` (404).
    func subscribe(
        to ids: [Identifier], lastEventID: EventID?, disconnect: @escaping @Sendable () -> Void
    ) async throws -> Subscriber {
        let (moment, figures) = try await storefront.figures(of: ids)
        let subscriber = Subscriber(products: figures.map(\.product), disconnect: disconnect)
        if isStopped {
            subscriber.end()
            return subscriber
        }
        for figures in figures { watch(figures, moment, by: subscriber) }
        subscribers[ObjectIdentifier(subscriber)] = subscriber
        countSubscribers()
        // An id of a state that is still to come is another store's, or was made up.
        let lastEventID = lastEventID.flatMap { $0 <= EventID(moment) ? $0 : nil }
        // What was not changed since is known there. A change in that very state may have been cut off.
        let changed = figures.filter { figures in
            guard let lastEventID, let watch = watches[figures.product.id] else { return true }
            return watch.changed >= lastEventID
        }
        subscriber.offer(current(changed.map(\.product)) ?? ServerSentEvent.availability([], moment))
        if let failure { subscriber.offer(ServerSentEvent.unavailable(failure.description)) }
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
        }
        if watches.count > Self.keptWatches { watches = watches.filter { !$0.value.subscribers.isEmpty } }
    }

    private func countSubscribers() {
        subscriberCount.set(subscribers.count)
        metrics.subscribers(subscribers.count)
    }

    /// Gives a subscriber that has missed events the figures anew.
    func catchUp(_ subscriber: Subscriber) {
        metrics.countMissed()
        subscriber.restart { [ServerSentEvent.missed($0)] + [current(subscriber.products)].compactMap { $0 } }
    }

    private func watch(_ figures: ProductFigures, _ moment: Moment, by subscriber: Subscriber) {
        let id = figures.product.id
        if var known = watches[id], known.figures.availability == figures.availability || !known.subscribers.isEmpty {
            // Somebody else's watch goes on at its own pace; the next look tells both.
            if known.subscribers.isEmpty { known.moment = moment }
            known.subscribers[ObjectIdentifier(subscriber)] = subscriber
            watches[id] = known
        } else {
            watches[id] = Watch(
                figures: figures, moment: moment, changed: EventID(moment),
                subscribers: [ObjectIdentifier(subscriber): subscriber])
        }
    }

    /// One event with the current figures of `products`; nil without any.
    private func current(_ products: [CataloguedProduct]) -> ByteBuffer? {
        let known = products.compactMap { watches[$0.id] }
        // Read at some moment, and as they were then at the last look, too. The oldest says how far the whole is.
        let moments = known.map { watch in swept.map { later($0, watch.moment) } ?? watch.moment }
        return moments.min { EventID($0) < EventID($1) }
            .map { ServerSentEvent.availability(known.map(\.figures), $0) }
    }

    private func later(_ left: Moment, _ right: Moment) -> Moment {
        EventID(left) < EventID(right) ? right : left
    }

    // MARK: - Looking

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await look()
            } onCancel: {
                ring.finish()
            }
        } onGracefulShutdown: { [ring] in
            ring.finish()
        }
        isStopped = true
        for subscriber in subscribers.values { subscriber.end() }
    }

    private func look() async {
        let clock = ContinuousClock()
        var nextBeat = clock.now + pace.heartbeat
        // A ring says that there is a subscriber, or, at the end, that there is nothing to wait for.
        for await _ in rings {
            while !subscribers.isEmpty, !Task.isCancelled, !Task.isShuttingDownGracefully {
                let next = clock.now + pace.interval
                await lookOnce()
                if clock.now >= nextBeat {
                    beat()
                    nextBeat = clock.now + pace.heartbeat
                }
                try? await clock.sleep(until: next)
            }
        }
    }

    private func beat() {
        let event = ServerSentEvent.heartbeat(asOf: Timestamp.now())
        for subscriber in subscribers.values where subscriber.offerHeartbeat(event) >= pace.stalls {
            logger.info("a subscriber does not read; its connection is closed")
            subscriber.disconnect()
        }
    }

    /// Reads what has changed since the last look, and tells it.
    private func lookOnce() async {
        do {
            let (view, _, reading) = try await storefront.read { _ in [] }
            adopt(view)
            let isNews = swept.map { !$0.isSameState(as: reading.moment) } ?? true
            if isNews || tellsAll {
                try await sweep(upTo: reading.moment)
            } else {
                swept = reading.moment
            }
            failure = nil
        } catch {
            let error = error as? FiguresUnavailable ?? FiguresUnavailable(description: "the figures cannot be read")
            if failure == nil {
                logger.warning("live figures stand still", metadata: ["reason": "\(error)"])
                tellAll(ServerSentEvent.unavailable(error.description))
                (swept, unswept, tellsAll) = (nil, [], true)
            }
            failure = error
        }
    }

    /// Reads watched products until the limit of one look; goes on where the last look stopped.
    private func sweep(upTo moment: Moment) async throws {
        if unswept.isEmpty {
            unswept = watches.filter { !$0.value.subscribers.isEmpty }.map(\.key)
            sweeping = moment
        }
        var counters = 0
        let view = storefront.catalogue.view
        let turn = unswept.prefix { id in
            counters += view[id]?.counters.count ?? 0
            return counters <= pace.counters
        }
        let ids = Array(turn.isEmpty ? unswept.prefix(1) : turn)
        let (_, products, reading) = try await storefront.read { view in ids.compactMap { view[$0] } }
        for product in products {
            if let figures = reading[product] { take(figures, reading.moment) }
        }
        unswept.removeFirst(min(ids.count, unswept.count))
        guard unswept.isEmpty else { return }
        swept = sweeping
        tellsAll = false
    }

    private func take(_ figures: ProductFigures, _ moment: Moment) {
        guard var watch = watches[figures.product.id] else { return }
        let isNews = watch.figures.availability != figures.availability
        let isOtherSource = watch.moment.source != moment.source
        watch.moment = moment
        if isNews || isOtherSource || tellsAll {
            watch.figures = figures
            if isNews { watch.changed = EventID(moment) }
            // The state that all figures have reached is what a client may come back with.
            let event = ServerSentEvent.availability([figures], moment, id: sweeping.map { EventID($0) })
            for subscriber in watch.subscribers.values { subscriber.offer(event) }
            metrics.countEvents(watch.subscribers.count)
        }
        watches[figures.product.id] = watch
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
        for subscriber in subscribers.values { subscriber.offer(event) }
        metrics.countEvents(subscribers.count)
    }
}
