import Histogram

/// Delays, in an HDR histogram of microseconds up to a minute, to three digits.
struct Latencies: Sendable {
    private var histogram = Histogram<UInt64>(lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000)

    mutating func record(_ delay: Duration) {
        // Delays beyond the range count as its maximum.
        histogram.record(UInt64(min(max(delay / .microseconds(1), 1), 60_000_000)))
    }

    var count: UInt64 { histogram.totalCount }

    func milliseconds(at percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000 }

    /// p50, p99, p99.9 and the maximum.
    static let percentiles = [50, 99, 99.9, 100]
    static let names = ["p50", "p99", "p99.9", "max"]

    var milliseconds: [Double] { Self.percentiles.map { milliseconds(at: $0) } }
}
