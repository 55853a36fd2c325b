import Prometheus
import Metrics
import Testing

/// Recorded values and the resulting text, to the byte.
@Suite struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry([
        MetricDescription("orders_total", .counter, labels: ["outcome"], "Orders, by outcome."),
        MetricDescription("batch", .histogram(bounds: [10, 1, 100, .infinity, 10]), "Messages."),
        MetricDescription("odd", .gauge, "A \\ and\na line \"quoted\"."),
        MetricDescription("wait_seconds", .histogram(bounds: [0.001, 0.01]), "Waiting."),
    ])

    private var text: String { String(decoding: registry.render(), as: UTF8.self) }
    /// Without the lines before the samples.
    private var samples: [Substring] { text.split(separator: "\n").filter { !$0.hasPrefix("#") } }

    @Test("Without metrics the text is empty")
    func nothing() {
        #expect(text == "")
        #expect(PrometheusRegistry.contentType == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test("Counters, gauges and histograms are written by name and labels, with HELP if there is one")
    func everyKind() {
        Counter(label: "orders_total", dimensions: [("outcome", "refused")], factory: registry).increment(by: 2)
        Counter(label: "orders_total", dimensions: [("outcome", "accepted")], factory: registry).increment()
        let batch = Recorder(label: "batch", factory: registry)
        for size in [1, 2, 10, 11, 1_000] { batch.record(size) }
        Gauge(label: "odd", factory: registry).record(-1.5)
        let wait = Timer(label: "wait", dimensions: [("stage", "a")], factory: registry)
        for milliseconds in [1, 2, 30] { wait.recordMilliseconds(milliseconds) }
        wait.record(duration: .seconds(-1))
        FloatingPointCounter(label: "litres_total", factory: registry).increment(by: 0.25)
        Meter(label: "level", factory: registry).set(7)
        #expect(
            text == #"""
                # HELP batch Messages.
                # TYPE batch histogram
                batch_bucket{le="1"} 1
                batch_bucket{le="10"} 3
                batch_bucket{le="100"} 4
                batch_bucket{le="+Inf"} 5
                batch_sum 1024
                batch_count 5
                # TYPE level gauge
                level 7
                # TYPE litres_total counter
                litres_total 0.25
                # HELP odd A \\ and\na line "quoted".
                # TYPE odd gauge
                odd -1.5
                # HELP orders_total Orders, by outcome.
                # TYPE orders_total counter
                orders_total{outcome="accepted"} 1
                orders_total{outcome="refused"} 2
                # HELP wait_seconds Waiting.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{stage="a",le="0.001"} 2
                wait_seconds_bucket{stage="a",le="0.01"} 3
                wait_seconds_bucket{stage="a",le="+Inf"} 4
                wait_seconds_sum{stage="a"} 0.033
                wait_seconds_count{stage="a"} 4

                """#)
    }

    @Test("Buckets follow the name if no description has any")
    func buckets() {
        Timer(label: "a_seconds", factory: registry).recordNanoseconds(100_000)
        Recorder(label: "b_seconds", factory: registry).record(10.0)
        Recorder(label: "c", factory: registry).record(4_096)
        #expect(samples.contains(#"a_seconds_bucket{le="0.0001"} 1"#))
        #expect(samples.contains(#"b_seconds_bucket{le="5"} 0"#) && samples.contains(#"b_seconds_bucket{le="10"} 1"#))
        #expect(samples.contains(#"c_bucket{le="2048"} 0"#) && samples.contains(#"c_bucket{le="4096"} 1"#))
    }

    /// Labels as they are given, and as they are written.
    private static let namings: [(label: String, dimensions: [(String, String)], sample: String)] = [
        ("a.b-c d", [], "a_b_c_d 1"),
        ("9:x", [], "_9:x 1"),
        ("", [], "_ 1"),
        ("größe", [], "gr__e 1"),
        ("a", [("b", "1"), ("a", "2")], #"a{a="2",b="1"} 1"#),
        ("a", [("x:y", "1"), ("0", "2"), ("", "3")], #"a{_="3",_0="2",x_y="1"} 1"#),
        ("a", [("b", "\\ \" \n ü {}")], #"a{b="\\ \" \n ü {}"} 1"#),
        ("a", [("b", "1"), ("b", "2")], #"a{b="1"} 1"#),
        ("a", [("b.c", "1"), ("b-c", "2")], #"a{b_c="1"} 1"#),
        ("a", [("le", "1"), ("__name__", "2")], #"a{exported__name__="2",exported_le="1"} 1"#),
    ]

    @Test("Names are made valid for Prometheus, and values are escaped", arguments: namings.indices)
    func names(_ index: Int) {
        let (label, dimensions, sample) = Self.namings[index]
        Counter(label: label, dimensions: dimensions, factory: registry).increment()
        #expect(samples == [sample[...]])
    }

    @Test("The same label with the same dimensions is the same metric, in whatever order they are named")
    func sameMetric() {
        Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment(by: 3)
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment(by: 4)
        FloatingPointCounter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment(by: 0.5)
        Gauge(label: "g", factory: registry).record(1)
        Meter(label: "g", factory: registry).increment(by: 2)
        Meter(label: "g", factory: registry).decrement()
        #expect(samples == ["g 2", #"n{a="1",b="2"} 7.5"#])
    }

    @Test("Of two metrics with the same name the first is shown; the other records, but is not shown")
    func clash() {
        Counter(label: "x", factory: registry).increment()
        Gauge(label: "x", factory: registry).record(5)
        Recorder(label: "h", factory: registry).record(1)
        Counter(label: "h_count", factory: registry).increment(by: 9)
        Counter(label: "t_seconds_sum", factory: registry).increment(by: 8)
        Timer(label: "t", factory: registry).recordSeconds(1)
        #expect(samples.filter { !$0.hasPrefix("h_bucket") } == ["h_sum 1", "h_count 1", "t_seconds_sum 8", "x 1"])
        #expect(
            text.hasSuffix(
                """
                # not shown: counter h_count, as there is a histogram h
                # not shown: histogram t_seconds, as there is a counter t_seconds_sum
                # not shown: gauge x, as there is a counter x

                """))
    }

    @Test("Counters never decrease; they and histograms ignore non-finite numbers, which gauges show")
    func oddValues() {
        let counter = Counter(label: "c", factory: registry)
        counter.increment(by: 5)
        counter.increment(by: -3)
        counter.increment(by: Int64.min)
        let litres = FloatingPointCounter(label: "l", factory: registry)
        let gauge = Gauge(label: "g", factory: registry)
        let histogram = Recorder(label: "wait_seconds", factory: registry)
        litres.increment(by: 1.5)
        histogram.record(0.5)
        for value in [Double.nan, .infinity, -.infinity] {
            litres.increment(by: value)
            histogram.record(value)
            gauge.record(value)
        }
        litres.increment(by: -1.0)
        #expect(samples.contains("c 5") && samples.contains("l 1.5") && samples.contains("g -Inf"))
        #expect(samples.contains("wait_seconds_count 1") && samples.contains("wait_seconds_sum 0.5"))
        gauge.record(Double.infinity)
        #expect(samples.contains("g +Inf"))
        gauge.record(Double.nan)
        #expect(samples.contains("g NaN"))
        gauge.record(1e300)
        #expect(samples.contains("g 1e+300"))
        counter.increment(by: Int64.max)
        #expect(samples.contains("c 9223372036854775812"))
        counter.reset()
        litres.reset()
        #expect(samples.contains("c 0") && samples.contains("l 0"))
    }

    @Test("A destroyed metric is removed; created again it starts at 0, and the old handle has no effect")
    func destroy() {
        let old = Counter(label: "c", dimensions: [("a", "1")], factory: registry)
        let other = Counter(label: "c", dimensions: [("a", "2")], factory: registry)
        old.increment(by: 7)
        old.destroy()
        #expect(samples == [#"c{a="2"} 0"#])
        let new = Counter(label: "c", dimensions: [("a", "1")], factory: registry)
        old.increment()
        // Not the new metric of that name.
        old.destroy()
        new.increment()
        #expect(samples == [#"c{a="1"} 1"#, #"c{a="2"} 0"#])
        new.destroy()
        other.destroy()
        Gauge(label: "c", factory: registry).destroy()
        Timer(label: "t", factory: registry).destroy()
        Recorder(label: "r", factory: registry).destroy()
        Meter(label: "m", factory: registry).destroy()
        FloatingPointCounter(label: "f", factory: registry).destroy()
        #expect(text == "")
    }

    @Test("A thousand tasks lose nothing, while others read")
    func concurrency() async {
        let registry = registry
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<1_000 {
                group.addTask {
                    let counter = Counter(label: "c", dimensions: [("n", "\(task % 7)")], factory: registry)
                    let litres = FloatingPointCounter(label: "f", factory: registry)
                    let recorder = Recorder(label: "h", factory: registry)
                    let meter = Meter(label: "m", factory: registry)
                    for value in 0..<100 {
                        counter.increment()
                        litres.increment(by: 0.5)
                        recorder.record(value)
                        meter.increment(by: 1)
                    }
                    if task % 50 == 0 { _ = registry.render() }
                }
            }
        }
        let counted = samples.filter { $0.hasPrefix("c{") }.compactMap { Int($0.split(separator: " ")[1]) }
        #expect(counted.count == 7 && counted.reduce(0, +) == 100_000)
        #expect(samples.contains("f 50000") && samples.contains("m 100000"))
        #expect(samples.contains("h_count 100000") && samples.contains("h_sum 4950000"))
    }

    /// An optimised counter takes 4 ns and a histogram 18; this detects implementations a thousand times slower.
    @Test("Recording is cheap enough for every message")
    func cost() {
        let counter = Counter(label: "c", factory: registry)
        let timer = Timer(label: "wait", factory: registry)
        let rounds = 100_000
        let clock = ContinuousClock()
        let counting = clock.measure { for _ in 0..<rounds { counter.increment() } }
        let timing = clock.measure { for _ in 0..<rounds { timer.recordNanoseconds(5_000_000) } }
        #expect(counting < .seconds(2) && timing < .seconds(4), "\(counting), \(timing)")
        #expect(samples.contains("c 100000"))
    }
}
