import Counters
import Foundation
import Domain
import RedisClient
import RedisLayout
import TestSupport

/// Reads of one product over HTTP while its orders arrive steadily and are decided and recorded: our server beside
/// webdis, which returns the same HMGET without interpreting it. Both query the same Redis over TCP, and wrk sends
/// requests to both.
struct HTTPReads {
    private static let connections = 32

    func measure(in workshop: Workshop) async throws -> [Row] {
        try await workshop.clearStore()
        let ledger = try workshop.freshLedger(try await workshop.ledgerTemplate(Catalogue(products: 1)))
        let consumer = try workshop.start(["consume"], ledger: ledger)
        try await consumer.waitForLine(containing: "consuming store")
        let server = try workshop.start(
            ["serve"], ledger: ledger, redis: "redis://127.0.0.1:\(workshop.redis.port ?? 0)")
        let address = try HTTPAddress(in: try await server.waitForLine(containing: "listening on"))
        let webdis = try await WebdisPeer.start(in: workshop)
        let targets = [
            "http://\(address)/v1/products/\(Catalogue.id(0))",
            "http://\(webdis.address)\(Self.sameFields(workshop.keys))",
        ]
        try await checkAnswers(address, webdis, workshop.keys)
        var reads = [Samples(), Samples()]
        var delays = [Samples(), Samples()]
        var maker = OrderMaker(products: 1, seed: 9)
        try await workshop.rounds(of: .http) { _ in
            for (index, target) in targets.enumerated() {
                let load = try await read(target, from: &maker, in: workshop)
                reads[index].add(load.requestsPerSecond)
                delays[index].add(load.p99)
            }
            let figures = reads.map { Table.number($0.rounds.last ?? 0) }
            return "\(figures[0]) requests/s; webdis \(figures[1])"
        }
        try await webdis.stop()
        for process in [server, consumer] { try await process.stop() }
        return rows(reads, delays)
    }

    /// Both return the cap: neither is asked for a missing key.
    private func checkAnswers(_ address: HTTPAddress, _ webdis: WebdisPeer, _ keys: StoreKeys) async throws {
        let answers = [
            try await address.get("/v1/products/\(Catalogue.id(0))"),
            try await webdis.address.get(Self.sameFields(keys)),
        ]
        for answer in answers where answer.status != 200 || !answer.text.contains(String(Catalogue(products: 1).cap)) {
            throw BenchError("measuring reads failed: on a response: \(answer.status) \(answer.text.prefix(500)).")
        }
    }

    private func rows(_ reads: [Samples], _ delays: [Samples]) -> [Row] {
        let ratio = reads[0].median / reads[1].median
        return [
            Row(
                group: .http, figure: "HTTP reads of a product", unit: .perSecond, goal: "≥ webdis",
                ours: reads[0], others: [.init(name: "webdis", samples: reads[1])], ratio: ratio,
                isReached: ratio >= 1),
            Row(
                group: .http, figure: "HTTP reads, p99", unit: .milliseconds, goal: "≤ 10 ms", ours: delays[0],
                others: [.init(name: "webdis", samples: delays[1])], isReached: delays[0].median <= 10),
        ]
    }

    /// The fields that our server reads for one product.
    private static func sameFields(_ keys: StoreKeys) -> String {
        let product = CounterName.product(Identifier(Catalogue.id(0))).field
        let fields = CounterHead.fields + ["sold:", "cap:", "closed:"].map { $0 + product }
        return "/HMGET/" + ([keys.stock] + fields).map(\.percentEncoded).joined(separator: "/")
    }

    /// Runs wrk while orders arrive at the steady rate; all of them must have been consumed when it ends.
    private func read(_ target: String, from maker: inout OrderMaker, in workshop: Workshop) async throws -> WrkLoad {
        let (seconds, rate) = (workshop.scale.httpSeconds, workshop.scale.steadyRate)
        // Half a second before and after.
        let publisher = SteadyPublisher(rate * (seconds + 1), rate: rate, from: &maker, in: workshop)
        async let published: Void = publisher.publish(over: workshop.client)
        try await Task.sleep(until: publisher.intended(rate / 2), clock: .continuous)
        let load = try await WrkLoad.run(target, connections: Self.connections, seconds: seconds, in: workshop)
        try await published
        let last = publisher.intended(publisher.count - 1)
        try await eventually(within: .seconds(30), "the orders to be consumed") {
            try await workshop.isAcknowledged()
        }
        let late = (ContinuousClock.now - last) / .seconds(1)
        if late > 5 {
            throw BenchError("measuring reads failed: the consumer was \(late) s behind 2,000 orders/s.")
        }
        return load
    }
}
