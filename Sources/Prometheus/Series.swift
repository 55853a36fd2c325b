import Metrics
import Synchronization

/// The key of a series in its registry.
struct SeriesPlace: Sendable {
    /// The name as rendered.
    var name: String
    /// The labels as rendered, without braces.
    var labels: String
}

/// The values that were recorded for one name with one set of labels.
protocol Series: AnyObject, Sendable {
    var place: SeriesPlace { get }
    /// Appends the lines of the series.
    func write(_ name: String, _ labels: String, into text: inout ExpositionText)
}

/// A value that only increases. An amount that is negative or not finite is ignored: Prometheus would interpret a
/// decrease as a restart.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    let place: SeriesPlace
    /// The sum of whole amounts, which nearly all counters use. Beyond 64 bits it wraps to 0, which Prometheus
    /// interprets as a restart.
    private let whole = Atomic<UInt64>(0)
    private let parts = Mutex(0.0)

    init(_ place: SeriesPlace) {
        self.place = place
    }

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        parts.withLock { $0 += amount }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        parts.withLock { $0 = 0 }
    }

    func write(_ name: String, _ labels: String, into text: inout ExpositionText) {
        let (whole, parts) = (whole.load(ordering: .relaxed), parts.withLock { $0 })
        text.sample(name, labels, parts == 0 ? "\(whole)" : ExpositionText.number(Double(whole) + parts))
    }
}

/// A value that may increase and decrease. It holds the last recorded value, which may be NaN (unknown) or infinite.
final class GaugeSeries: Series, RecorderHandler, MeterHandler {
    let place: SeriesPlace
    private let value = Mutex(0.0)

    init(_ place: SeriesPlace) {
        self.place = place
    }

    func set(_ value: Double) {
        self.value.withLock { $0 = value }
    }

    func set(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func record(_ value: Int64) { set(Double(value)) }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func write(_ name: String, _ labels: String, into text: inout ExpositionText) {
        text.sample(name, labels, ExpositionText.number(value.withLock { $0 }))
    }
}

/// Counts recorded values per bucket and in total, and adds them up. A value that is not finite is ignored: the sum
/// would never be finite again.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    /// The suffixes of the names of its lines.
    static let suffixes = ["_bucket", "_sum", "_count"]

    private struct State: Sendable {
        /// One count per bound, and one for values above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    let place: SeriesPlace
    /// Upper bounds, ascending and inclusive.
    private let bounds: [Double]
    private let state: Mutex<State>

    init(_ place: SeriesPlace, _ bounds: [Double]) {
        self.place = place
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        state.withLock { state in
            state.counts[bucket] &+= 1
            state.sum += value
        }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Records the duration in seconds. Clocks that were set back produce negative durations, which count as 0.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(duration, 0)) / 1e9) }

    func write(_ name: String, _ labels: String, into text: inout ExpositionText) {
        let state = state.withLock { $0 }
        let separator = labels.isEmpty ? "" : ","
        var count: UInt64 = 0
        for (index, inBucket) in state.counts.enumerated() {
            count &+= inBucket
            let bound = index < bounds.count ? ExpositionText.number(bounds[index]) : "+Inf"
            text.sample(name + "_bucket", labels + separator + #"le="\#(bound)""#, "\(count)")
        }
        text.sample(name + "_sum", labels, ExpositionText.number(state.sum))
        text.sample(name + "_count", labels, "\(count)")
    }
}
