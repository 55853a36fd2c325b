import Counters
import Domain
import Testing

@testable import Consumer
@testable import MemoryLedger
@testable import Ingest
@testable import Ledger

/// Tests the state machine one event at a time, with a clock that advances only when the test says so.
@Suite("The consumer's state machine")
struct ConsumerStateMachineTests {
    // MARK: - A batch's stages

    @Test("passes entries that were read through every stage, one after the other")
    func way() throws {
        let bench = MachineBench()
        #expect(bench.take() == ["watch", "read"])
        bench.deliver(.order(1, "a", ("lamp", nil, 1)), .order(2, "b", ("lamp", nil, 1)))
        // The next read begins while the delivery is decoded.
        #expect(bench.take() == ["decode 1-0 2-0", "read"])
        bench.finishWatch()
        #expect(bench.take() == ["upkeep"])
        try bench.decode()
        #expect(bench.take() == ["decide 1-0 2-0 after 0"])
        try bench.decide()
        #expect(bench.take() == ["record 1-0 2-0"])
        bench.send(.recorded(.recorded(position: 2)))
        #expect(bench.take() == ["recorded", "acknowledge 1-0 2-0, announce 0–2"])
        bench.acknowledge()
        #expect(bench.take() == [] && bench.machine.isMemoryEmpty)
        #expect(bench.machine.totals[.accepted] == 2 && bench.machine.totals.batches == 1)
    }

    @Test("decides the next batch while one is recorded, and holds it back until then")
    func pipelining() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)), .order(3, "c", ("lamp", nil, 1)))
        #expect(bench.take().contains("decide 2-0 3-0 after 1"))
        try bench.decide()
        // The decided batch waits for the batch before it.
        #expect(bench.take().filter { $0.hasPrefix("record ") } == [])
        bench.send(.recorded(.recorded(position: 1)))
        #expect(bench.take().contains("record 2-0 3-0"))
    }

    @Test("records no third batch while two wait to be acknowledged")
    func backpressure() throws {
        let bench = MachineBench()
        for number in 1...3 {
            try bench.deliverDecoded(.order(number, "o\(number)", ("lamp", nil, 1)))
            try bench.decide()
            if number < 3 { bench.send(.recorded(.recorded(position: Int64(number)))) }
        }
        #expect(!bench.take().contains("record 3-0"))
        bench.acknowledge()
        #expect(bench.take().filter { !$0.hasPrefix("read") } == ["acknowledge 2-0, announce 1–2", "record 3-0"])
    }

    @Test("delays an entry that depends on the batch being recorded, and plans it again after that")
    func blocked() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.cancel(2, "c", order: "a"), .junk(3))
        #expect(bench.take().contains("decide 2-0 3-0 after 1"))
        bench.send(.blocked)
        #expect(bench.take().filter { $0.hasPrefix("decide") } == [])
        bench.send(.recorded(.recorded(position: 1)))
        #expect(bench.take().contains("decide 2-0 3-0 after 1"))
    }

    @Test("plans an entry again at once if the batch it waited for was recorded in the meantime")
    func notBlocked() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.cancel(2, "c", order: "a"), .junk(3))
        bench.send(.recorded(.recorded(position: 1)))
        _ = bench.take()
        bench.send(.blocked)
        #expect(bench.take() == ["decide 2-0 3-0 after 1"])
    }

    // MARK: - Poison messages

    @Test("decides a poison message alone, with nothing else being decoded or recorded")
    func poison() throws {
        let poison = DecodedEntry.order(2, "b", ("lamp", nil, 1), deliveries: StreamEntry.poisonDeliveries)
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(poison, .order(3, "c", ("lamp", nil, 1)))
        _ = bench.take()
        bench.deliver(.order(4, "d", ("lamp", nil, 1)))
        // Nothing is decided while a batch is being recorded, and nothing is decoded from now on.
        #expect(bench.take().filter { $0.hasPrefix("decide") || $0.hasPrefix("decode") } == [])
        bench.send(.recorded(.recorded(position: 1)))
        #expect(bench.take().contains("decide alone 2-0 after 1"))
        try bench.decide()
        let next = bench.take()
        #expect(next.contains("decode 4-0") && next.contains("record 2-0"))
        #expect(!next.contains { $0.hasPrefix("decide") })
    }

    @Test("decides a poison message only after a delivery whose decoding has begun is decoded")
    func poisonAfterDecoding() throws {
        let bench = MachineBench()
        bench.finishWatch()
        let poison = DecodedEntry.order(2, "b", ("lamp", nil, 1), deliveries: StreamEntry.poisonDeliveries)
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)), poison)
        // The first order is being decided: the poison message is not at the front yet.
        bench.deliver(.order(3, "c", ("lamp", nil, 1)))
        #expect(bench.take().contains("decode 3-0"))
        try bench.decide()
        bench.send(.recorded(.recorded(position: 1)))
        #expect(!bench.take().contains { $0.hasPrefix("decide") })
        try bench.decode()
        #expect(bench.take().contains("decide alone 2-0 after 1"))
    }
}
