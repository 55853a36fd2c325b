import Metrics
import Synchronization

/// The place of a series in its registry.
struct SeriesPlace: Sendable {
    /// As it is rendered.
    var name: String
    /// As they are rendered, without braces.
    var labels: String
}

/// One name with one set of labels, and what was recorded under it.
protocol Series: AnyObject, Sendable {
    var place: SeriesPlace { get }
    /// Appends its lines.
    func write(_ name: String, _ labels: String, into text: inout ExpositionText)
}

/// A value that only grows. An amount that would decrease it, or that is not a finite number, is ignored: Prometheus
/// would take it for a restart.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    let place: SeriesPlace
    /// Whole numbers, which is what nearly all counters count. Beyond 64 bits it starts at 0 again: to Prometheus a
    /// restart.
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

/// A value that goes up and down: the last one, which may be NaN (unknown) or infinite.
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

/// Counts of recorded values per bucket and in total, and their sum. A value that is not a finite number is ignored:
/// the sum would never be finite again.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    /// Suffixes of the names of its lines.
    static let suffixes = ["_bucket", "_sum", "_count"]

    private struct State: Sendable {
        /// One per bound, and one for values above all bounds.
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

    /// In seconds. Clocks that were set back produce durations below 0: they count as 0.
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
