import Metrics
import Synchronization

/// Keeps metrics in memory, and renders them for Prometheus (text format 0.0.4).
///
/// Create one and pass it to `MetricsSystem.bootstrap`. The same label with the same dimensions always returns the same
/// metric. No call fails: a metric that cannot be rendered as requested is reported in a comment in the text.
///
/// Recording costs no more than an atomic addition (counters of whole numbers) or an uncontended lock (all other
/// metrics). It is not blocked while `render` runs, which locks one metric at a time.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// The content type of the text that `render` returns.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All series with one name.
    private struct Family: Sendable {
        let kind: MetricDescription.Kind
        /// The series, by their rendered labels.
        var series: [String: any Series] = [:]
    }

    private struct State: Sendable {
        var families: [String: Family] = [:]
        /// Messages about names that were requested as two different kinds, by name.
        var clashes: [String: String] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let state = Mutex(State())

    /// - Parameter descriptions: the HELP texts of metrics and the buckets of histograms, found by name.
    package init(_ descriptions: [MetricDescription] = MetricDescription.all) {
        self.descriptions = Dictionary(descriptions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Renders all metrics as UTF-8, sorted by name and then by labels, so that the same metrics give the same text.
    package func render() -> [UInt8] {
        let (families, clashes) = state.withLock { ($0.families, $0.clashes) }
        var text = ExpositionText()
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.head(name, type: family.kind.typeName, help: descriptions[name]?.help)
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, into: &text)
            }
        }
        for (_, clash) in clashes.sorted(by: { $0.key < $1.key }) { text.comment(clash) }
        return text.bytes
    }

    // MARK: Creation

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter, CounterSeries.init)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter, CounterSeries.init)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge, GaugeSeries.init)
    }

    /// Returns a gauge or, with `aggregate`, a histogram.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : series(label, dimensions, .gauge, GaugeSeries.init)
    }

    /// Returns a histogram of seconds. Appends `_seconds` to a label without this suffix.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label.hasSuffix(Self.secondsSuffix) ? label : label + Self.secondsSuffix, dimensions)
    }

    private static let secondsSuffix = "_seconds"

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        let name = ExpositionText.metricName(label)
        let bounds: [Double] =
            if case .histogram(let bounds) = descriptions[name]?.kind { bounds } else {
                name.hasSuffix(Self.secondsSuffix) ? MetricDescription.durations : MetricDescription.sizes
            }
        let kind = MetricDescription.Kind.histogram(bounds: Set(bounds.filter(\.isFinite)).sorted())
        return series(label, dimensions, kind) { place in HistogramSeries(place, kind.bounds) }
    }

    /// Returns the series with this name and these labels. If another metric has the name, returns a series that
    /// records as requested but is not rendered.
    private func series<S: Series>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricDescription.Kind, _ make: (SeriesPlace) -> S
    ) -> S {
        let name = ExpositionText.metricName(label)
        let labels = ExpositionText.labels(dimensions)
        return state.withLock { state in
            if let taken = Self.taken(name, kind, state.families) {
                state.clashes[name] = "not shown: \(kind.typeName) \(name), as there is a \(taken)"
                return make(SeriesPlace(name: name, labels: labels))
            }
            var family = state.families[name] ?? Family(kind: kind)
            if let known = family.series[labels] as? S { return known }
            let made = make(SeriesPlace(name: name, labels: labels))
            family.series[labels] = made
            state.families[name] = family
            return made
        }
    }

    /// Returns the metric that makes a name unavailable: another kind with this name, or a histogram whose lines would
    /// have the same names.
    private static func taken(
        _ name: String, _ kind: MetricDescription.Kind, _ families: [String: Family]
    ) -> String? {
        if let family = families[name] {
            return family.kind.typeName == kind.typeName ? nil : "\(family.kind.typeName) \(name)"
        }
        for suffix in HistogramSeries.suffixes {
            if case .histogram = kind, let family = families[name + suffix] {
                return "\(family.kind.typeName) \(name + suffix)"
            }
            if name.hasSuffix(suffix) {
                let base = String(name.dropLast(suffix.count))
                if case .histogram = families[base]?.kind { return "histogram \(base)" }
            }
        }
        return nil
    }

    // MARK: Destruction

    // A destroyed metric is no longer rendered. Code that still holds it records without effect. Requesting it again
    // returns a new metric, which starts at 0.

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        guard let series = handler as? any Series else { return }
        let place = series.place
        state.withLock { state in
            guard state.families[place.name]?.series[place.labels] === series else { return }
            state.families[place.name]?.series[place.labels] = nil
            if state.families[place.name]?.series.isEmpty == true { state.families[place.name] = nil }
        }
    }
}
