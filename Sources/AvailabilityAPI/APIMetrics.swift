import Metrics

/// What the API counts. Labels have few values: no ids, no addresses.
struct APIMetrics: Sendable {
    private let redisReads: Counter
    private let ledgerReads: Counter
    private let failedReads: Counter
    private let subscribers: Gauge
    private let events: Counter
    private let missed: Counter

    /// - Parameter factory: where they go; nil: to the process' own.
    init(_ factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func reads(_ source: String) -> Counter {
            Counter(label: "stocktake_reads_total", dimensions: [("source", source)], factory: factory)
        }
        (redisReads, ledgerReads, failedReads) = (reads("redis"), reads("ledger"), reads("none"))
        subscribers = Gauge(label: "stocktake_subscribers", factory: factory)
        subscribers.record(0)
        events = Counter(label: "stocktake_events_total", factory: factory)
        missed = Counter(label: "stocktake_events_missed_total", factory: factory)
    }

    /// A round trip that brought figures.
    func count(_ source: Moment.Source) {
        (source == .redis ? redisReads : ledgerReads).increment()
    }

    /// Figures that could not be had from Redis.
    func countFailedRead() { failedReads.increment() }

    func subscribers(_ count: Int) { subscribers.record(count) }

    /// Events put behind those that wait for subscribers.
    func countEvents(_ count: Int) { events.increment(by: count) }

    /// A subscriber that did not keep up.
    func countMissed() { missed.increment() }
}

/// Requests by route and status, made when they are first met.
struct RequestMetrics: Sendable {
    private let factory: any MetricsFactory

    init(_ factory: (any MetricsFactory)? = nil) {
        self.factory = factory ?? MetricsSystem.factory
    }

    /// - Parameter route: its pattern, not the address that was asked for.
    func count(route: String, status: Int) {
        Counter(
            label: "stocktake_http_requests_total", dimensions: [("route", route), ("status", String(status))],
            factory: factory
        ).increment()
    }
}
