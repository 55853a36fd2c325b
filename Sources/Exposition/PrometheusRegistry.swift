import Metrics
import Synchronization

/// Metrics kept in memory, and told as Prometheus reads them (text format 0.0.4).
///
/// Made once and given to `MetricsSystem.bootstrap`. A label with the same dimensions is the same metric, whoever asks
/// for it and how often. Nothing here fails: what cannot be shown as it was asked for is said in a comment of the text.
///
/// Recording costs no more than an atomic addition (counters) or an uncontended lock (the others), and is never held up
/// by `render`, which takes one metric at a time.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// Of what `render` returns.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All series of one name.
    private struct Family: Sendable {
        let kind: MetricDescription.Kind
        /// By their labels as they are written.
        var series: [String: any Series] = [:]
    }

    private struct State: Sendable {
        var families: [String: Family] = [:]
        /// Names that were asked for as two things.
        var clashes: [String: String] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let state = Mutex(State())

    /// - Parameter descriptions: what is known of metrics by their names: HELP, and the buckets of histograms.
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

    /// The series of that name and those labels. Where the name is taken by something else: one that counts as asked
    /// for, and is not shown.
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

    /// What stands in the way of a name: another kind under it, or a histogram whose lines would be called the same.
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

    // A metric that is destroyed is not shown any more. Whoever still holds it records into nowhere; whoever asks for
    // it again gets a new one, which starts at 0.

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
