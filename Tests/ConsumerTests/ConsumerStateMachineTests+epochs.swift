import Counters
import Domain
import Testing

@testable import Consumer
@testable import MemoryLedger
@testable import Ingest
@testable import Ledger

extension ConsumerStateMachineTests {
    @Test("ends an epoch after work in progress has ended, and decides again, in order, what is not recorded")
    func epochEnds() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)), .order(3, "c", ("lamp", nil, 1)))
        #expect(bench.take().contains("decide 2-0 3-0 after 1"))
        bench.send(.recorded(.outdated(LedgerHead(epoch: 2, seq: 0, position: 0, catalogueVersion: 1))))
        // The gate may still be deciding: its result belongs to the old epoch.
        #expect(bench.take() == [])
        try bench.decide()
        #expect(bench.take() == ["open epoch: the ledger is at epoch 2, seq 0"])
        bench.open(epoch: 3)
        #expect(bench.take().contains("decide 1-0 2-0 after 0"))
    }

    @Test("lets decided batches be recorded before an epoch ends, if the ledger accepts them")
    func decidedIsRecorded() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)), .order(3, "c", ("lamp", nil, 1)))
        try bench.decide()
        bench.watch(catalogue: 2)
        #expect(!bench.take().contains { $0.hasPrefix("open") })
        bench.send(.recorded(.recorded(position: 1)))
        #expect(bench.take().contains("record 2-0 3-0"))
        bench.send(.recorded(.recorded(position: 3)))
        #expect(bench.take().contains("open epoch: catalogue version 2"))
        bench.open(epoch: 2, seq: 3, position: 3)
        // Outcomes that are not announced yet are read from the ledger.
        let next = bench.take()
        #expect(next.contains("acknowledge 1-0") && next.contains("read journal 0–3"))
    }

    @Test("continues from the ledger's seq when an epoch opens, even if it is beyond what was recorded")
    func furtherLedger() throws {
        let bench = MachineBench()
        bench.watch(epoch: 2)
        bench.open(epoch: 3, seq: 5)
        bench.finishWatch()
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
        #expect(bench.take().contains("decide 1-0 after 5"))
        try bench.decide()
        #expect(bench.take().contains("record 1-0"))
        #expect(bench.machine.recordedSeq == 5 && bench.machine.seq == 6)
    }

    @Test("takes back, in order, a batch that the ledger rejects and the one decided after it")
    func disagreement() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)), .order(3, "c", ("lamp", nil, 1)))
        try bench.decide()
        _ = bench.take()
        let key = Command.Key(.placeOrder, "a")
        bench.send(.recorded(.disagreed(.command(key, gate: .unchanged, ledger: nil))))
        #expect(
            bench.take() == ["open epoch: the ledger's counters do not confirm the gate's decision of order a"])
        bench.open(epoch: 2)
        #expect(bench.take().contains("decide 1-0 2-0 after 0"))
    }

    @Test("gives up when one batch has caused three epochs, but never because of other causes")
    func noProgress() throws {
        let bench = MachineBench()
        bench.finishWatch()
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
        for epoch in 2...30 as ClosedRange<Int64> {
            bench.send(.undecided(EpochReason(.outage, "away")))
            bench.open(epoch: epoch)
        }
        for epoch in 31...33 as ClosedRange<Int64> {
            bench.send(.undecided(EpochReason(.batch, "odd")))
            bench.open(epoch: epoch)
        }
        #expect(!bench.take().contains { $0.hasPrefix("give up") })
        bench.send(.undecided(EpochReason(.batch, "odd")))
        #expect(bench.take().contains("give up: odd"))
    }

    @Test("waits longer before each successive epoch, until something is recorded or everything is well")
    func epochsInARow() throws {
        let bench = MachineBench()
        bench.finishWatch()
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
        for (epoch, inARow) in [(2, 0), (3, 1), (4, 2)] as [(Int64, Int)] {
            bench.send(.undecided(EpochReason(.outage, "away")))
            #expect(bench.lastRequest?.epochsInARow == inARow)
            bench.open(epoch: epoch)
        }
        try bench.decide()
        bench.send(.recorded(.recorded(position: 1)))
        bench.send(.acknowledged(epoch: 4, .fenced))
        #expect(bench.lastRequest?.epochsInARow == 0)
    }

    @Test("blames the batch for a wrong seq, and an operator for another catalogue or epoch")
    func blame() throws {
        let causes: [(epoch: Int64, seq: Int64, catalogue: Int64, cause: EpochReason.Cause)] = [
            (1, 7, 1, .batch), (2, 0, 1, .outage), (1, 0, 2, .outage),
        ]
        for (epoch, seq, catalogue, cause) in causes {
            let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
            let head = LedgerHead(epoch: epoch, seq: seq, position: 0, catalogueVersion: catalogue)
            bench.send(.recorded(.outdated(head)))
            #expect(bench.lastRequest?.needed.cause == cause)
        }
        let known = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        known.send(.recorded(.outdated(LedgerHead(epoch: 1, seq: 0, position: 7, catalogueVersion: 1))))
        #expect(known.take() == ["open epoch: the ledger has a part of the batch already"])
    }

    @Test("plans entries that waited for a batch again when the ledger rejects that batch")
    func blockedByTurnedDown() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.cancel(2, "c", order: "a"), .junk(3))
        bench.send(.blocked)
        bench.send(.recorded(.outdated(LedgerHead(epoch: 2, seq: 0, position: 0, catalogueVersion: 1))))
        bench.open(epoch: 3)
        #expect(bench.take().contains("decide 1-0 2-0 after 0"))
    }

    @Test("takes back a decided batch that cannot be recorded yet because two wait to be acknowledged")
    func decidedIsTakenBack() throws {
        let bench = MachineBench()
        for number in 1...3 {
            try bench.deliverDecoded(.order(number, "o\(number)", ("lamp", nil, 1)))
            try bench.decide()
            if number < 3 { bench.send(.recorded(.recorded(position: Int64(number)))) }
        }
        bench.watch(catalogue: 2)
        #expect(bench.take().contains("open epoch: catalogue version 2"))
        bench.open(epoch: 2, seq: 2)
        #expect(bench.take().contains("decide 3-0 after 2"))
    }

    @Test("needs an epoch when the ledger is at another one, or has another catalogue")
    func changedLedger() {
        for (epoch, catalogue, reason) in [
            (2, 1, "the ledger is at epoch 2"), (1, 2, "catalogue version 2"),
        ] as [(Int64, Int64, String)] {
            let bench = MachineBench()
            bench.watch(
                catalogue: catalogue, epoch: epoch,
                counters: CounterHead(ledger: MemoryTables.worldIdentity, epoch: 1, seq: 0))
            #expect(bench.take().contains("open epoch: \(reason)"))
            #expect(bench.lastRequest?.needed.memory == .trusted)
        }
    }

    @Test("recounts the ledger's counters before the epoch if they were wrong")
    func miscount() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.disagreed(.miscounted(.product("lamp")))))
        #expect(bench.lastRequest?.needed.cause == .miscount(.product("lamp")))
    }

    @Test("recounts the ledger's counters even if the epoch was ending for another reason")
    func miscountWhileEnding() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.watch(catalogue: 2)
        bench.send(.recorded(.disagreed(.miscounted(.product("lamp")))))
        #expect(bench.lastRequest?.needed.cause == .miscount(.product("lamp")))
    }

    @Test("announces which products a new catalogue has changed")
    func catalogueChange() throws {
        let bench = MachineBench()
        bench.watch(catalogue: 2)
        bench.open(epoch: 2, catalogue: 2, changed: ["lamp"])
        #expect(bench.take().contains("announce lamp"))
    }
}
