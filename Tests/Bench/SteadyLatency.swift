import Foundation
import Domain
import RedisClient
import RedisLayout
import TestSupport

/// The time from an order's intended publication until its outcome is read from the stream of outcomes, at a steady
/// rate: with a Redis that forgets nothing, like the private one of `run`, and with one that keeps everything in memory
/// only.
struct SteadyLatency {
    private static let durable = ["--appendonly", "yes", "--appendfsync", "always"]
    /// The time before the measured orders, in seconds.
    private static let warmUp = 1
    /// How long the last outcome may take.
    private static let limit = Duration.seconds(30)

    func measure(in workshop: Workshop) async throws -> [Row] {
        let server = try await TestRedisServer.start(Self.durable)
        var samples: [String: [Samples]] = [:]
        do {
            try await workshop.rounds(of: .steady) { _ in
                var said: [String] = []
                for (name, server) in [("durable", server), ("memory", workshop.redis)] {
                    let delays = try await round(over: server, in: workshop).milliseconds
                    var all = samples[name] ?? Array(repeating: Samples(), count: delays.count)
                    for (index, delay) in delays.enumerated() { all[index].add(delay) }
                    samples[name] = all
                    said.append("\(name) p50 \(Table.number(delays[0])), p99 \(Table.number(delays[1])) ms")
                }
                return said.joined(separator: "; ")
            }
        } catch {
            await server.kill()
            throw error
        }
        await server.kill()
        return Latencies.names.enumerated().map { index, name in
            let ours = samples["durable"]?[index] ?? Samples()
            let goal: Double? = ["p50": 5, "p99": 25][name]
            return Row(
                group: .steady, figure: "publish → outcome, \(name)", unit: .milliseconds,
                goal: goal.map { "≤ \(Int($0)) ms" } ?? "", ours: ours,
                others: [.init(name: "Redis in memory", samples: samples["memory"]?[index] ?? Samples())],
                isReached: goal.map { ours.median <= $0 })
        }
    }

    private func round(over server: TestRedisServer, in workshop: Workshop) async throws -> Latencies {
        let rate = workshop.scale.steadyRate
        let client = Workshop.client(of: server)
        _ = try await client.send(RedisCommand("FLUSHALL"))
        let ledger = try workshop.freshLedger(try await workshop.ledgerTemplate(Catalogue(products: 1)))
        try await workshop.calmDisk()
        let consumer = try workshop.start(["consume"], ledger: ledger, redis: "unix://\(server.socketPath)")
        try await consumer.waitForLine(containing: "consuming store")
        var maker = OrderMaker(products: 1, seed: 5)
        let publisher = SteadyPublisher(
            rate * (Self.warmUp + workshop.scale.steadySeconds), rate: rate, from: &maker, in: workshop)
        let outcomes = Workshop.client(of: server)
        async let latencies = Self.read(
            publisher, skipping: rate * Self.warmUp, from: outcomes, keys: workshop.keys)
        try await publisher.publish(over: client)
        let read = try await latencies
        guard try await consumer.stop() == .exited(0) else {
            throw BenchError("measuring delays failed: on the consumer: \(consumer.standardError)")
        }
        await outcomes.close()
        await client.close()
        return read
    }

    /// Reads outcomes until all orders have one. A second one of the same order would be a bug of ours.
    private static func read(
        _ publisher: SteadyPublisher, skipping: Int, from client: RedisClient, keys: StoreKeys
    ) async throws -> Latencies {
        var latencies = Latencies()
        var isSeen = Array(repeating: false, count: publisher.count)
        var seen = 0
        var last = "0-0"
        let deadline = publisher.intended(publisher.count - 1) + limit
        while seen < publisher.count {
            guard ContinuousClock.now < deadline else {
                throw BenchError("measuring delays failed: \(seen) of \(publisher.count) orders have an outcome.")
            }
            let reply = try await client.send(
                RedisCommand("XREAD", "COUNT", "10000", "BLOCK", "1000", "STREAMS", keys.outcomes, last),
                timeout: .seconds(10))
            let now = ContinuousClock.now
            for entry in reply.array?.first?.array?.last?.array ?? [] {
                guard let parts = entry.array, let id = parts.first?.string,
                    let fields = parts.last?.fields, fields["outcome"]?.string == "accepted",
                    let number = fields["order_id"]?.string.flatMap({ OrderMaker.number(of: $0) }),
                    isSeen.indices.contains(number), !isSeen[number]
                else { throw BenchError("measuring delays failed: on an outcome: \(entry).") }
                last = id
                isSeen[number] = true
                seen += 1
                if number >= skipping { latencies.record(now - publisher.intended(number)) }
            }
        }
        return latencies
    }
}
