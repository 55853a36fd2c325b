import Counters
import Domain
import Testing

@testable import Consumer
@testable import MemoryLedger
@testable import Ingest
@testable import Ledger

extension ConsumerStateMachineTests {
    // MARK: - Acknowledging

    @Test("acknowledges under the open epoch, and again if that epoch has ended in the meantime")
    func fencedByTime() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        bench.watch(catalogue: 2, seq: 1)
        bench.open(epoch: 2, seq: 1, position: 1)
        _ = bench.take()
        bench.send(.acknowledged(epoch: 1, .fenced))
        #expect(bench.take().contains("acknowledge 1-0") && bench.machine.epoch.number == 2)
    }

    @Test("acknowledges nothing that is in memory once Redis has lost data, but claims it again")
    func doubtfulMemory() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        bench.send(.acknowledged(epoch: 1, .fenced))
        #expect(bench.take().contains("open epoch: the counters were changed or lost"))
        bench.open(epoch: 2, seq: 1, position: 1)
        // It is announced nevertheless.
        #expect(bench.take().filter { $0.hasPrefix("acknowledge") } == ["acknowledge nothing"])
        bench.deliver()
        bench.acknowledge()
        #expect(bench.take().contains("claim"))
    }

    @Test(
        "distrusts memory also if the gate or a watch finds the loss while an epoch ends", arguments: [0, 1])
    func doubtWhileClosing(_ finder: Int) throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)), .order(3, "c", ("lamp", nil, 1)))
        if finder == 1 {
            try bench.decide()
            bench.startWatch()
        }
        bench.send(.recorded(.outdated(LedgerHead(epoch: 1, seq: 0, position: 0, catalogueVersion: 2))))
        if finder == 0 {
            bench.send(.undecided(EpochReason(.batch, "fenced", memory: .doubtful)))
        } else {
            bench.watch(counters: CounterHead(ledger: MemoryTables.worldIdentity, epoch: 1, seq: 99))
        }
        // Names the rejected batch's reason, not the finding of the gate or the watch.
        #expect(bench.take().contains("open epoch: catalogue version 2"))
        bench.open(epoch: 2)
        #expect(bench.machine.reading.memory == .doubtful)
    }

    @Test("does not mistake its own next installation for a loss")
    func ownInstallation() {
        let bench = MachineBench()
        bench.startWatch()
        bench.send(.readFailed(.lostData))
        bench.send(.connected(decidingConnection: 0))
        bench.watch(in: 1, counters: CounterHead(ledger: MemoryTables.worldIdentity, epoch: 2, seq: 0))
        #expect(bench.machine.reading.memory == .trusted)
    }

    // MARK: - Announcing

    static func recorded(_ position: Int64, of ids: String...) -> [RecordedOutcome] {
        ids.enumerated().map { number, id in
            RecordedOutcome(
                outcome: Outcome(kind: .accepted, ids: [.placeOrder: Identifier(id)], decidedAt: ""),
                place: EpochPosition(epoch: 1, position: position + Int64(number)))
        }
    }

    @Test("announces rows that the journal had before its epoch from the ledger, and acknowledges nothing")
    func catchesUp() {
        let bench = MachineBench()
        bench.watch(epoch: 2)
        _ = bench.take()
        bench.open(epoch: 3, position: 9, announced: 4)
        #expect(bench.take().contains("read journal 4–9"))
        let range = JournalRange(after: 4, through: 9)
        bench.send(.journalRead(JournalOutcomes(outcomes: Self.recorded(5, of: "a", "b"), through: 6), of: range))
        #expect(bench.take() == ["acknowledge nothing, announce 4–6"])
        bench.acknowledge()
        #expect(bench.take() == ["read journal 6–9"])
        // A change of the catalogue has nothing to announce.
        let rest = JournalRange(after: 6, through: 9)
        bench.send(.journalRead(JournalOutcomes(outcomes: [], through: 9), of: rest))
        #expect(bench.take() == ["acknowledge nothing, announce 6–9"])
        bench.acknowledge()
        #expect(bench.take() == [] && bench.machine.announcing.isComplete)
    }

    @Test("acknowledges what Redis refuses to announce, and retries every second, from the ledger, in order")
    func refusedOutcomes() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        _ = bench.take()
        bench.acknowledge(announced: 0, refusal: "NOPERM")
        #expect(bench.take() == ["refused: NOPERM"] && bench.machine.isMemoryEmpty)
        // The next batch is acknowledged, and adds to what waits.
        try bench.deliverDecoded(.order(2, "b", ("lamp", nil, 1)))
        try bench.decide()
        bench.send(.recorded(.recorded(position: 2)))
        #expect(bench.take().contains("acknowledge 2-0"))
        bench.acknowledge()
        bench.finishWatch()
        #expect(bench.take().contains("read journal 0–2"))
        let range = JournalRange(after: 0, through: 2)
        let rows = JournalOutcomes(outcomes: Self.recorded(1, of: "a", "b"), through: 2)
        bench.send(.journalRead(rows, of: range))
        bench.acknowledge(announced: 1, refusal: "NOPERM")
        // It was already reported.
        #expect(bench.take() == ["acknowledge nothing, announce 0–2"])
        bench.finishWatch()
        bench.send(
            .journalRead(
                JournalOutcomes(outcomes: Array(rows.outcomes.dropFirst()), through: 2),
                of: JournalRange(after: 1, through: 2)))
        bench.acknowledge()
        #expect(bench.take().suffix(2) == ["acknowledge nothing, announce 1–2", "resumed"])
        #expect(bench.machine.announcing.isComplete)
    }

    @Test("asks Redis for its position if a watch finds another one, and continues from there")
    func forgottenOutcomes() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        bench.acknowledge()
        _ = bench.take()
        bench.watch(
            counters: CounterHead(ledger: MemoryTables.worldIdentity, epoch: 1, seq: 1, announced: 0))
        #expect(bench.take().contains("acknowledge nothing, announce 1–1"))
        bench.acknowledge(announced: 0)
        #expect(bench.take() == ["read journal 0–1"])
    }

    @Test("needs an epoch if Redis has no announced position or one beyond the journal", arguments: [nil, 7])
    func unknownPosition(_ position: Int64?) throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        bench.send(.acknowledged(epoch: 1, .acknowledged(AcknowledgeReport(acknowledged: 1, announced: position))))
        #expect(bench.take().last == "open epoch: the counters were changed or lost")
    }

    @Test("reports where the first outcome of a repeated message is recorded, also in the batch before")
    func replayedPlaces() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(2, "a", ("lamp", nil, 1)), .order(3, "b", ("lamp", nil, 1)))
        try bench.deliverDecoded(.order(4, "b", ("lamp", nil, 1)), .order(5, "c", ("lamp", nil, 1)))
        try bench.decide()
        bench.send(.recorded(.recorded(position: 7)))
        bench.acknowledge(announced: 0)
        _ = bench.take()
        bench.send(.recorded(.recorded(position: 8)))
        #expect(bench.take().contains("acknowledge 2-0 3-0, repeat 1:7"))
    }

    @Test("ends --until-idle only when everything is announced; a stop waits for nothing")
    func announcesBeforeTheEnd() {
        for stops in [false, true] {
            let bench = MachineBench(untilIdle: true)
            bench.watch(catalogue: 2)
            bench.open(epoch: 2, catalogue: 2, position: 9, announced: 8)
            bench.finishWatch()
            bench.send(.upkept(wanted: []))
            bench.deliver()
            bench.send(.leftovers(pending: 0, wanted: []))
            bench.send(.trimmed)
            #expect(!bench.take().contains("finish"))
            if stops { bench.send(.stopRequested) }
            #expect(bench.take().contains("finish") == stops)
            let range = JournalRange(after: 8, through: 9)
            if stops { continue }
            bench.send(.journalRead(JournalOutcomes(outcomes: Self.recorded(9, of: "a"), through: 9), of: range))
            #expect(bench.take() == ["acknowledge nothing, announce 8–9"])
            bench.acknowledge()
            #expect(bench.take() == ["finish"])
        }
    }
}
