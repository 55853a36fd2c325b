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

    // MARK: - Epochs

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

    private static func recorded(_ position: Int64, of ids: String...) -> [RecordedOutcome] {
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

    // MARK: - Reading

    @Test("reads ahead as much as two batches and one delivery may hold")
    func readAhead() throws {
        let bench = MachineBench(batchOrders: 1)
        bench.deliver(isFull: true, .order(1, "a", ("lamp", nil, 1)))
        #expect(bench.take().contains("read"))
        bench.deliver(isFull: true, .order(2, "b", ("lamp", nil, 1)))
        #expect(!bench.take().contains("read"))
    }

    @Test("keeps reading while a batch is decided only if there is a backlog")
    func pace() throws {
        for isFull in [false, true] {
            let bench = MachineBench()
            bench.finishWatch()
            try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
            _ = bench.take()
            bench.deliver(isFull: isFull, .order(2, "b", ("lamp", nil, 1)))
            #expect(bench.take().contains("read") == isFull)
        }
    }

    @Test("connects only when memory is empty; if the other connection is new, too, reads only after an epoch")
    func reconnects() throws {
        for connection in [0, 7] {
            let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
            bench.send(.readFailed(.interrupted))
            #expect(!bench.take().contains("connect 0"))
            bench.send(.recorded(.recorded(position: 1)))
            bench.acknowledge()
            #expect(bench.take().contains("connect 0"))
            bench.send(.readFailed(.interrupted))
            #expect(bench.take() == ["connect 1"])
            bench.send(.connected(decidingConnection: connection))
            let isNew = connection != 0
            #expect(
                bench.take() == [isNew ? "open epoch: reading failed, and Redis may have lost data" : "read"])
        }
    }

    @Test("opens an epoch before it reads again if the group is missing, even over surviving connections")
    func lostGroup() {
        let bench = MachineBench()
        bench.send(.readFailed(.lostData))
        // A later failure does not make it forget that.
        bench.send(.readFailed(.interrupted))
        bench.send(.connected(decidingConnection: 0))
        #expect(bench.take().last == "open epoch: reading failed, and Redis may have lost data")
    }

    @Test("connects once more if an epoch was being opened while it connected")
    func connectedMeanwhile() {
        let bench = MachineBench()
        bench.send(.readFailed(.interrupted))
        bench.watch(catalogue: 2)
        bench.send(.connected(decidingConnection: 0))
        _ = bench.take()
        bench.open(epoch: 2)
        #expect(bench.take().contains("connect 1"))
    }

    @Test("connects again after a failed check for pending entries")
    func failedLook() {
        let bench = MachineBench()
        bench.deliver()
        bench.send(.readFailed(.interrupted))
        #expect(bench.take().last == "connect 0")
    }

    @Test("stops reading while too many bytes wait to be decided")
    func bytes() {
        let bench = MachineBench(queueBytes: 100)
        _ = bench.take()
        bench.deliver(isFull: true, .order(1, "a", ("lamp", nil, 1)))
        #expect(!bench.take().contains("read"))
    }

    @Test("claims pending entries when nothing arrives and nothing is in memory")
    func leftovers() {
        let bench = MachineBench()
        bench.deliver()
        #expect(bench.take().last == "look for leftovers")
        bench.send(.leftovers(pending: 3, wanted: []))
        #expect(bench.take() == ["claim"])
    }

    @Test("does not check for pending entries while something is in memory")
    func noLeftovers() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.deliver()
        #expect(bench.take() == ["read"])
        bench.send(.recorded(.recorded(position: 1)))
        bench.deliver()
        #expect(!bench.take().contains("look for leftovers"))
        bench.acknowledge()
        bench.deliver()
        #expect(bench.take() == ["look for leftovers"])
    }

    @Test("claims an entry that stays pending but is not in memory, once memory is empty")
    func strays() {
        let bench = MachineBench()
        for _ in 0...4 {
            bench.watch(pending: PendingSummary(count: 1, lowest: StreamID("1-0")))
            bench.now += .seconds(1)
        }
        #expect(bench.take().contains("stray 1-0"))
        bench.deliver()
        #expect(bench.take().contains("claim"))
    }

    // MARK: - Chores

    @Test("decides nothing while it compares the counters, and compares nothing while the gate decides")
    func watchAndDeciding() throws {
        let bench = MachineBench()
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
        #expect(!bench.take().contains { $0.hasPrefix("decide") })
        bench.finishWatch()
        #expect(bench.take().contains("decide 1-0 after 0"))
        bench.send(.upkept(wanted: []))
        bench.send(.trimmed)
        bench.send(.due(.watch))
        #expect(!bench.take().contains("watch"))
        try bench.decide()
        #expect(bench.take().contains("watch"))
    }

    @Test("ignores a watch that began in an earlier epoch")
    func lateWatch() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.startWatch()
        bench.send(.recorded(.outdated(LedgerHead(epoch: 2, seq: 0, position: 0, catalogueVersion: 1))))
        bench.open(epoch: 3)
        _ = bench.take()
        bench.watch(in: 1, catalogue: 1, epoch: 1, seq: 1)
        let next = bench.take()
        #expect(next.contains("wait for watch") && !next.contains { $0.hasPrefix("open") })
    }

    @Test(
        "needs an epoch when the counters are not as it left them, and then distrusts memory",
        arguments: [
            CounterHead(ledger: "other", epoch: 1, seq: 0), CounterHead(ledger: "L", epoch: 2, seq: 0),
            CounterHead(ledger: "L", epoch: 1, seq: 1), CounterHead(ledger: nil, epoch: nil, seq: nil),
        ])
    func changedCounters(_ found: CounterHead) {
        let bench = MachineBench()
        bench.watch(counters: found)
        #expect(bench.take().contains("open epoch: the counters were changed or lost"))
        #expect(bench.lastRequest?.needed.memory == .doubtful)
    }

    @Test("checks again later when Redis does not reply")
    func away() {
        let bench = MachineBench()
        bench.watch(counters: .some(nil))
        let next = bench.take()
        #expect(next.contains("wait for watch") && !next.contains("upkeep") && bench.lastRequest == nil)
    }

    @Test("publishes a requested dead letter once, and again after half a minute if it has not returned")
    func replays() {
        let bench = MachineBench()
        let wanted = [RequestedReplay(number: 4, fingerprint: [1])]
        func publishes(after seconds: Int64) -> Bool {
            bench.now += .seconds(seconds)
            bench.watch()
            bench.send(.upkept(wanted: wanted))
            return bench.take().contains("publish 4")
        }
        #expect(publishes(after: 0) && !publishes(after: 1))
        bench.send(.published(PublishedReplays(sent: [:], failed: [4])))
        #expect(!publishes(after: 0) && publishes(after: 2))
        bench.send(.published(PublishedReplays(sent: [4: "9-0"])))
        #expect(!publishes(after: 29) && publishes(after: 2))
    }

    // MARK: - The end

    @Test("ends a read at a stop, finishes what is in memory, and reads nothing more")
    func stops() throws {
        let bench = try MachineBench.recording(.order(1, "a", ("lamp", nil, 1)))
        bench.send(.stopRequested)
        #expect(bench.take().contains("end read"))
        bench.deliver(.order(2, "b", ("lamp", nil, 1)))
        bench.send(.recorded(.recorded(position: 1)))
        bench.acknowledge()
        #expect(!bench.take().contains("finish"))
        try bench.decode()
        try bench.decide()
        bench.send(.recorded(.recorded(position: 2)))
        bench.acknowledge()
        let last = bench.take()
        #expect(last.last == "finish" && !last.contains("read"))
    }

    @Test("finishes at a stop at once if nothing is in memory, even while an epoch is being opened")
    func stopsAtOnce() {
        let bench = MachineBench()
        bench.send(.readFailed(.interrupted))
        bench.watch(catalogue: 2)
        bench.send(.stopRequested)
        bench.send(.readFailed(.stopped))
        #expect(bench.take().last == "finish")
    }

    @Test("with --until-idle, reads again after an empty read only once everything in memory is acknowledged")
    func readsOnceDrained() throws {
        let bench = MachineBench(untilIdle: true)
        bench.finishWatch()
        bench.send(.upkept(wanted: []))
        bench.send(.trimmed)
        try bench.deliverDecoded(.order(1, "a", ("lamp", nil, 1)))
        try bench.decide()
        #expect(bench.take().contains("read"))
        // Otherwise non-blocking reads would follow each other as fast as Redis replies.
        bench.deliver()
        bench.send(.recorded(.recorded(position: 1)))
        #expect(!bench.take().contains("read"))
        bench.acknowledge()
        #expect(bench.take() == ["read"])
        bench.deliver()
        #expect(bench.take() == ["look for leftovers"])
    }

    @Test("continues with --until-idle if a replay is requested just before the end")
    func wantedAtTheEnd() {
        let bench = MachineBench(untilIdle: true)
        bench.deliver()
        bench.send(.leftovers(pending: 0, wanted: []))
        bench.finishWatch()
        bench.send(.upkept(wanted: [RequestedReplay(number: 4, fingerprint: [1])]))
        bench.send(.trimmed)
        let next = bench.take()
        #expect(next.contains("publish 4") && next.contains("read") && !next.contains("finish"))
    }

    @Test("finishes --until-idle only once a needed epoch is open")
    func idleInAnotherEpoch() {
        let bench = MachineBench(untilIdle: true)
        bench.deliver()
        bench.watch(catalogue: 2)
        bench.send(.leftovers(pending: 0, wanted: []))
        #expect(!bench.take().contains("finish"))
        bench.open(epoch: 2, catalogue: 2)
        // Redis may have lost data before the installation, which conceals that.
        bench.deliver()
        bench.send(.leftovers(pending: 0, wanted: []))
        // The trim that was in progress, and the last one.
        bench.send(.trimmed)
        bench.send(.trimmed)
        #expect(bench.take().last == "finish")
    }

    @Test("with --until-idle, claims what Redis has lost just before the end")
    func lossBeforeTheEnd() throws {
        let bench = MachineBench(untilIdle: true)
        bench.startWatch()
        bench.deliver()
        bench.send(.leftovers(pending: 0, wanted: []))
        bench.watch(counters: .some(CounterHead(ledger: nil, epoch: nil, seq: nil)))
        bench.open(epoch: 2)
        #expect(bench.take().last == "claim")
        bench.deliver(.order(1, "a", ("lamp", nil, 1)))
        #expect(bench.take().contains("decode 1-0"))
    }

    @Test("with --until-idle, claims what Redis has lost while it was asked for pending entries")
    func lossWhileLooking() throws {
        let bench = MachineBench(untilIdle: true)
        bench.startWatch()
        bench.deliver()
        bench.watch(counters: .some(CounterHead(ledger: nil, epoch: nil, seq: nil)))
        // The reply was sent before the loss.
        bench.send(.leftovers(pending: 0, wanted: []))
        bench.open(epoch: 2)
        #expect(bench.take().last == "claim")
    }

    @Test("waits for each chore once, however often it ran out of turn")
    func oneWaitEach() {
        let bench = MachineBench(untilIdle: true)
        bench.finishWatch()
        bench.send(.upkept(wanted: []))
        bench.send(.trimmed)
        #expect(bench.take().filter { $0 == "wait for trim" }.count == 1)
        bench.deliver()
        bench.send(.leftovers(pending: 0, wanted: []))
        bench.send(.trimmed)
        #expect(bench.take().filter { $0 == "wait for trim" } == [])
    }

    @Test("finishes --until-idle when nothing is pending and no replay is requested")
    func untilIdle() {
        let bench = MachineBench(untilIdle: true)
        bench.deliver()
        bench.send(.leftovers(pending: 0, wanted: [RequestedReplay(number: 4, fingerprint: [1])]))
        #expect(bench.take().contains("publish 4"))
        bench.deliver()
        bench.finishWatch()
        bench.send(.upkept(wanted: []))
        bench.send(.trimmed)
        _ = bench.take()
        bench.send(.leftovers(pending: 0, wanted: []))
        // Losses in the meantime are found before the end.
        #expect(bench.take() == ["trim"])
        bench.send(.trimmed)
        #expect(bench.take().last == "finish")
    }
}
