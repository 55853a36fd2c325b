import Metrics
import Synchronization

/// Metrics kept in memory, and rendered for Prometheus (text format 0.0.4).
///
/// Made once and given to `MetricsSystem.bootstrap`. The same label with the same dimensions always returns the same
/// metric. Nothing here fails: a metric that cannot be shown as requested is reported in a comment of the text.
///
/// Recording costs no more than an atomic addition (counters) or an uncontended lock (the others), and is never blocked
/// while `render` runs, which locks one metric at a time.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// The content type of what `render` returns.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All series of one name.
    private struct Family: Sendable {
        let kind: MetricDescription.Kind
        /// By their labels as rendered.
        var series: [String: any Series] = [:]
    }

    private struct State: Sendable {
        var families: [String: Family] = [:]
        /// Names that were requested as two different kinds.
        var clashes: [String: String] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let state = Mutex(State())

    /// - Parameter descriptions: what is known about metrics by their names: HELP, and the buckets of histograms.
    package init(_ descriptions: [MetricDescription] = MetricDescription.all) {
        self.descriptions = Dictionary(descriptions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Everything, as UTF-8: by name, and within a name by labels, so that the same metrics give the same text.
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

    // MARK: Making

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

    /// A gauge, or with `aggregate` a histogram.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : series(label, dimensions, .gauge, GaugeSeries.init)
    }

    /// A histogram of seconds; `_seconds` is added to a label that does not end so.
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

    /// The series with that name and those labels. If something else has the name: a series that counts as requested,
    /// and is not shown.
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

    /// What makes a name unavailable: another kind under it, or a histogram whose lines would have the same names.
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

    // MARK: Destroying

    // A destroyed metric is not shown any more. Code that still holds it records without effect; requesting it again
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
