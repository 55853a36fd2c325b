import Foundation
import Domain
import NIOCore
import NIOPosix
import RedisClient
import TestSupport

/// The time until all subscribers of a product know of an order: a thousand subscribers to its live availability,
/// orders at a steady rate. For each order and each subscriber, it is the time from the order's intended publication to
/// the arrival of the first event that includes it. From the gate's decision on it is less.
struct Events {
    /// Orders per second, which makes several in each tenth of a second, in which availability is sent at most once.
    private static let rate = 200
    /// How long the last event may take.
    private static let limit = Duration.seconds(30)

    func measure(in workshop: Workshop) async throws -> [Row] {
        try await workshop.clearStore()
        let ledger = try workshop.freshLedger(try await workshop.ledgerTemplate(Catalogue(products: 1)))
        let consumer = try workshop.start(["consume"], ledger: ledger)
        try await consumer.waitForLine(containing: "consuming store")
        let server = try workshop.start(["serve"], ledger: ledger)
        let address = try HTTPAddress(in: try await server.waitForLine(containing: "listening on"))
        let audience = try await Audience.gather(
            workshop.scale.subscribers, at: address, product: Catalogue.id(0), within: Self.limit)
        var samples = Array(repeating: Samples(), count: Latencies.names.count)
        var maker = OrderMaker(products: 1, seed: 10)
        try await workshop.rounds(of: .events) { _ in
            let first = Int64(maker.number) + 1
            let publisher = SteadyPublisher(
                Self.rate * workshop.scale.eventSeconds, rate: Self.rate, from: &maker, in: workshop)
            // One connection, one order after the other: the n-th is change n of the counters.
            audience.expect(publisher, firstSeq: first)
            try await publisher.publish(over: workshop.client, inOrder: true)
            try await eventually(within: Self.limit, "the last event to arrive") { audience.hasAll }
            let latencies = audience.latencies
            for (index, delay) in latencies.milliseconds.enumerated() { samples[index].add(delay) }
            return "p50 \(Table.number(latencies.milliseconds[0])), p99 \(Table.number(latencies.milliseconds[1])) ms"
        }
        try await audience.leave()
        for process in [server, consumer] { try await process.stop() }
        return Latencies.names.enumerated().map { index, name in
            let isGoal = name == "p99"
            return Row(
                group: .events, figure: "order → subscribers, \(name)",
                unit: .milliseconds,
                goal: isGoal ? "≤ 250 ms" : "", ours: samples[index],
                isReached: isGoal ? samples[index].median <= 250 : nil)
        }
    }
}
