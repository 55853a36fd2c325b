import Counters
import Domain
import Testing

@testable import Consumer
@testable import MemoryLedger
@testable import Ingest
@testable import Ledger

extension ConsumerStateMachineTests {
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
