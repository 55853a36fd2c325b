import Metrics
import Synchronization

/// The API's metrics. Labels have few values: no ids, no addresses.
struct APIMetrics: Sendable {
    private let redisReads: Counter
    private let ledgerReads: Counter
    private let failedReads: Counter
    private let roundTrips: Counter
    private let subscribers: Gauge
    private let events: Counter
    private let missed: Counter

    /// - Parameter factory: nil for the process-wide one.
    init(_ factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func reads(_ source: String) -> Counter {
            Counter(label: "stocktake_reads_total", dimensions: [("source", source)], factory: factory)
        }
        (redisReads, ledgerReads, failedReads) = (reads("redis"), reads("ledger"), reads("none"))
        roundTrips = Counter(label: "stocktake_read_round_trips_total", factory: factory)
        subscribers = Gauge(label: "stocktake_subscribers", factory: factory)
        subscribers.record(0)
        events = Counter(label: "stocktake_events_total", factory: factory)
        missed = Counter(label: "stocktake_events_missed_total", factory: factory)
    }

    /// Counts the reads that one round trip served.
    /// - Parameter source: nil if the round trip failed.
    func countReads(_ count: Int, from source: SnapshotVersion.Source?) {
        roundTrips.increment()
        switch source {
        case .redis: redisReads.increment(by: count)
        case .ledger: ledgerReads.increment(by: count)
        case nil: failedReads.increment(by: count)
        }
    }

    func subscribers(_ count: Int) { subscribers.record(count) }

    /// Counts events that were queued for subscribers.
    func countEvents(_ count: Int) { events.increment(by: count) }

    /// Counts a subscriber that did not keep up.
    func countMissed() { missed.increment() }
}

/// Counts requests by route and status. Counters are created on demand and cached: looking one up in the metrics
/// backend takes longer than serving the request.
final class RequestMetrics: Sendable {
    private struct Kind: Hashable {
        var route: String
        var status: Int
    }

    private let factory: any MetricsFactory
    private let counters = Mutex<[Kind: Counter]>([:])

    init(_ factory: (any MetricsFactory)? = nil) {
        self.factory = factory ?? MetricsSystem.factory
    }

    /// - Parameter route: the route's pattern, not the requested address.
    func counter(route: String, status: Int) -> Counter {
        let kind = Kind(route: route, status: status)
        return counters.withLock { counters in
            if let counter = counters[kind] { return counter }
            let counter = Counter(
                label: "stocktake_http_requests_total", dimensions: [("route", route), ("status", String(status))],
                factory: factory)
            counters[kind] = counter
            return counter
        }
    }
}
