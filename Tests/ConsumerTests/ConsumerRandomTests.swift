import Foundation
import Ingest
import Domain
import Ledger
import Randomness
import Testing

@testable import Consumer
@testable import MemoryLedger

/// The state machine in a world where everything takes any amount of time and anything may fail.
@Suite("The consumer under random faults")
struct ConsumerRandomTests {
    private static let histories = isLong ? 10_000 : 200
    private static let isLong = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_LONG"] == "1"

    @Test("ends with every message acknowledged, decided once, as if they had been processed one by one")
    func asOneByOne() throws {
        var seen: [String: Int] = [:]
        for seed in Self.seeds() {
            var generator = SeededGenerator(seed: seed)
            let stream = Self.stream(&generator)
            let plain = try ConsumerWorld(stream, batchOrders: 1, faults: .none, generator)
            try Self.run(plain, 0, seed)
            let world = try ConsumerWorld(
                stream, batchOrders: Int.random(in: 1...9, using: &generator), faults: .all, generator)
            try Self.run(world, 1_500, seed)
            try #require(world.redis.acknowledged == Set(stream.map(\.id)), "seed \(seed)")
            try #require(world.redis.pending.count == 0, "seed \(seed)")
            try #require(world.ledger.balances == plain.ledger.balances, "seed \(seed)")
            try #require(Self.results(world.ledger) == Self.results(plain.ledger), "seed \(seed)")
            try #require(world.ledger.deadLetterKeys == plain.ledger.deadLetterKeys, "seed \(seed)")
            seen.merge(world.faultsSeen, uniquingKeysWith: +)
        }
        // A fault that never occurred would prove nothing.
        for fault in [
            "read failed", "read lost entries", "stream lost", "connecting failed", "gate in doubt", "counters lost",
            "counter edited", "epoch taken", "catalogue changed", "process dies", "stop", "installation in doubt",
            "announcing refused",
            "outcomes lost",
        ] { #expect(seen[fault, default: 0] > Self.histories / 10, "\(fault): \(seen)") }
    }

    @Test(
        "finds entries that were lost in delivery without an error, and early cancellations: none is lost")
    func strays() throws {
        var faults = ConsumerWorld.Faults.all
        faults.strays = 20
        var replays = 0
        for seed in Self.seeds() {
            var generator = SeededGenerator(seed: seed)
            let stream = Self.stream(&generator)
            let world = try ConsumerWorld(
                stream, batchOrders: Int.random(in: 1...9, using: &generator), faults: faults,
                wakesCancellations: true, generator)
            try Self.run(world, 1_500, seed)
            // Their order is not that of the stream; each of them has its outcome, and no cap is exceeded.
            try #require(world.redis.acknowledged == Set(world.redis.stream.map(\.id)), "seed \(seed)")
            try #require(world.ledger.earlyCancellationsOfRecordedOrders == 0, "seed \(seed)")
            replays += world.redis.stream.count - stream.count
            for (counter, balance) in world.ledger.balances {
                try #require(
                    balance.sold <= CapRule.effective(balance.cap) + balance.adjusted, "\(counter), seed \(seed)")
            }
        }
        #expect(replays > Self.histories / 5)
    }

    private static func seeds() -> [UInt64] {
        // STOCKTAKE_TEST_SEED replays the seed of a failure.
        let given = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SEED"].flatMap { UInt64($0) }
        let first = given ?? .random(in: 0..<1 << 32)
        return (0..<UInt64(histories)).map { first + $0 }
    }

    private static func run(_ world: ConsumerWorld, _ faultySteps: Int, _ seed: UInt64) throws {
        do {
            try world.run(faultySteps: faultySteps)
        } catch {
            throw ConsumerWorld.Failure(description: "seed \(seed), step \(world.steps): \(error)")
        }
    }

    /// The result of each command, without its time.
    private static func results(_ ledger: MemoryTables) -> [Command.Key: String] {
        ledger.decisions.mapValues { prior in
            let outcome = prior.outcome.outcome
            return "\(outcome.kind.rawValue) \(outcome.reason) \(outcome.units ?? 0) \(outcome.seq ?? 0)"
        }
    }

    /// Orders, some of them twice or with other content; cancellations, early and late; adjustments; junk.
    private static func stream(_ generator: inout SeededGenerator) -> [StreamEntry] {
        (1...Int.random(in: 1...60, using: &generator)).map { number in
            let id = "o\(Int.random(in: 1...max(number, 5), using: &generator))"
            let units = Int64.random(in: 1...4, using: &generator)
            let sku: DecodedEntry.Line =
                [("cube", "black", units), ("cube", "white", units), ("lamp", nil, units)][
                    Int.random(in: 0..<3, using: &generator)]
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: return DecodedEntry.junk(number).entry
            case 1, 2, 3: return DecodedEntry.cancel(number, "c\(number % 9)", order: id).entry
            case 4:
                let restock = generator.chance(50)
                return DecodedEntry.cancel(number, "c\(number)", order: id, [sku], restock: restock).entry
            case 5, 6:
                let sold = generator.chance(40) ? -units : units
                return DecodedEntry.adjust(number, "a\(number % 7)", sku.product, sold, variant: sku.variant).entry
            default: return DecodedEntry.order(number, id, sku).entry
            }
        }
    }
}
