import Foundation
import GRDB
import Domain
import RedisClient
import TestSupport

/// The resources that the consumer used to drain the stream.
struct Consumption: Sendable {
    /// From the log line that reports readiness to the end of the process: by then everything is recorded, acknowledged
    /// and closed.
    var seconds: Double
    /// From the start of the process to that line.
    var startSeconds: Double
    /// The peak resident memory of the process.
    var peakBytes: Int
    /// Processor time, from the start of the process, of the consumer and of Redis.
    var processorSeconds: (consumer: Double, redis: Double)
    /// The counts that it reports itself.
    var accepted: Int
    var refused: Int

    var orders: Int { accepted + refused }
}

extension Workshop {
    /// The longest time that a round may take.
    private static let consumingLimit = Duration.seconds(300)
    /// The resolution of measured times: a thousandth of rounds that take seconds.
    private static let lookingInterval = Duration.milliseconds(2)

    /// Lets the real consumer drain the stream, and checks that every order is in the ledger once, and that the
    /// counters are the ledger's.
    func consume(into ledger: String, expecting orders: Int, _ more: [String] = []) async throws -> Consumption {
        let consumption = try await consume(into: ledger, within: Self.consumingLimit, ["--until-idle"] + more)
        guard consumption.orders == orders else {
            throw BenchError(
                "measuring failed: on \(ledger): \(consumption.orders) of \(orders) orders were consumed. This is a defect; please report it."
            )
        }
        let waiting = try await waiting()
        guard waiting == (0, 0) else {
            throw BenchError(
                "measuring failed: on the stream: messages are pending or unread (\(waiting)). This is a defect; please report it."
            )
        }
        try await run(["reconcile"], ledger: ledger)
        return consumption
    }

    /// Lets the real consumer run until `limit` is over, or it ends by itself, and checks that the orders it reports as
    /// accepted and refused are in the ledger.
    func consume(into ledger: String, within limit: Duration, _ arguments: [String]) async throws -> Consumption {
        let before = try await recorded(in: ledger)
        let consumption = try await watch(
            try start(["consume"] + arguments, ledger: ledger), endingAfter: limit)
        let recorded = try await recorded(in: ledger) - before
        guard consumption.orders == recorded else {
            throw BenchError(
                "measuring failed: on \(ledger): of \(consumption.orders) orders, \(recorded) are in the ledger. This is a defect; please report it."
            )
        }
        return consumption
    }

    /// Orders per second, of `count` that `prepare` publishes to the stream.
    func rate(_ count: Int, into ledger: String, _ prepare: () async throws -> Void) async throws -> Double {
        try await prepare()
        try await calmDisk()
        return Double(count) / (try await consume(into: ledger, expecting: count)).seconds
    }

    private func watch(_ process: ChildProcess, endingAfter limit: Duration) async throws -> Consumption {
        let started = ContinuousClock.now
        var ready: ContinuousClock.Instant?
        let redisBefore = ProcessorTime.seconds(of: redis.processID)
        var peak = 0
        var processor = 0.0
        var looks = 0
        while process.ending == nil {
            if ready == nil, process.standardOutput.contains("consuming store") { ready = .now }
            if looks % 8 == 0 {
                peak = max(peak, Self.peakBytes(of: process.processID))
                processor = max(processor, ProcessorTime.seconds(of: process.processID))
            }
            looks += 1
            // Gracefully: it finishes what it has read.
            if ContinuousClock.now - started > limit { try await process.stop(within: Self.consumingLimit) }
            try await Task.sleep(for: Self.lookingInterval)
        }
        let ended = ContinuousClock.now
        let ending = try await process.waitForEnding()
        guard ending == .exited(0), let ready, let totals = Totals(process.standardOutput) else {
            throw BenchError(
                "measuring failed: on the consumer: it ended (\(ending)): \(process.standardError)\(process.standardOutput)"
            )
        }
        return Consumption(
            seconds: (ended - ready) / .seconds(1), startSeconds: (ready - started) / .seconds(1), peakBytes: peak,
            processorSeconds: (processor, ProcessorTime.seconds(of: redis.processID) - redisBefore),
            accepted: totals.accepted, refused: totals.refused)
    }

    /// Rows of orders in the ledger.
    private func recorded(in ledger: String) async throws -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        return try await DatabaseQueue(path: ledger, configuration: configuration).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        }
    }

    /// The numbers of pending and of unread messages.
    private func waiting() async throws -> (pending: Int64?, unread: Int64?) {
        let groups = try await client.send(RedisCommand("XINFO", "GROUPS", keys.checkouts)).array ?? []
        let fields = groups.first?.fields ?? [:]
        return (fields["pending"]?.int, fields["lag"]?.int)
    }

    /// Whether nothing is unread or pending.
    func isAcknowledged() async throws -> Bool { try await waiting() == (0, 0) }

    /// 0 once the process has ended.
    static func peakBytes(of processID: Int32) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}

/// The consumer's last line: `stopped: 1,000 accepted, 0 refused, …`.
private struct Totals {
    var accepted: Int
    var refused: Int

    init?(_ output: String) {
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("stopped: ") }) else { return nil }
        let words = line.split(separator: " ")
        func number(before word: String) -> Int? {
            guard let at = words.firstIndex(where: { $0.hasPrefix(word) }), at > 0 else { return nil }
            return Int(words[at - 1].filter(\.isNumber))
        }
        guard let accepted = number(before: "accepted"), let refused = number(before: "refused") else { return nil }
        (self.accepted, self.refused) = (accepted, refused)
    }
}
