import Foundation
import GRDB
import Domain
import RedisClient
import TestSupport

/// What the consumer took to work off what was on the stream.
struct Consumption: Sendable {
    /// From the line that says it is ready to the end of the process: everything is recorded, settled and closed then.
    var seconds: Double
    /// From the start of the process to that line.
    var startSeconds: Double
    /// The most memory the process ever had resident.
    var peakBytes: Int
    /// Processor time, from the start of the process, of the consumer and of Redis.
    var processorSeconds: (consumer: Double, redis: Double)
    /// What it did, as it says itself.
    var accepted: Int
    var refused: Int

    var orders: Int { accepted + refused }
}

extension Workshop {
    /// What a round may take at most.
    private static let consumingLimit = Duration.seconds(300)
    /// How exactly moments are known: of rounds that take seconds, a thousandth.
    private static let lookingInterval = Duration.milliseconds(2)

    /// Lets the real consumer work off the stream, and checks that every order is in the ledger once, and that the
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

    /// Lets the real consumer work until `limit` is over, or it ends by itself, and checks that what it says it has
    /// accepted and refused is in the ledger.
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

    /// Orders a second, of `count` that `prepare` puts on the stream.
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
            // Politely: it finishes what it has read.
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

    /// Rows of orders that the ledger holds.
    private func recorded(in ledger: String) async throws -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        return try await DatabaseQueue(path: ledger, configuration: configuration).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        }
    }

    /// How many messages are pending, and how many are unread.
    private func waiting() async throws -> (pending: Int64?, unread: Int64?) {
        let groups = try await client.send(RedisCommand("XINFO", "GROUPS", keys.checkouts)).array ?? []
        let fields = groups.first?.fields ?? [:]
        return (fields["pending"]?.int, fields["lag"]?.int)
    }

    /// Nothing is unread or pending.
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
