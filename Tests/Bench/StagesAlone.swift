import Consumer
import Counters
import Foundation
import Ingest
import Domain
import Ledger
import RedisLayout
import SQLiteLedger
import RedisClient
import TestSupport

/// The whole pipeline against its slowest stages alone: deciding prepared batches, recording prepared batches, reading
/// and acknowledging the stream. Also the whole pipeline one message at a time, like a program without batches.
struct StagesAlone {
    /// Orders per batch, like the consumer's own batches.
    private static let batchOrders = ConsumerSettings().batchOrders

    func measure(in workshop: Workshop) async throws -> [Row] {
        let scale = workshop.scale
        let maker = OrderMaker(products: 1, seed: 4)
        workshop.progress.say("stages: preparing \(scale.stageOrders) orders")
        let backlog = try await workshop.backlog("stages", scale.stageOrders, from: maker)
        let few = try await workshop.backlog("one-by-one", scale.singleOrders, from: maker)
        let template = try await workshop.ledgerTemplate(Catalogue(products: 1))
        let batches = try Self.batches(scale.stageOrders, maker)
        var (pipeline, gate, ledgerAlone, stream, single) = (Samples(), Samples(), Samples(), Samples(), Samples())
        try await workshop.rounds(of: .stages) { _ in
            func fresh(_ backlog: Backlog) async throws -> String {
                try await workshop.restore(backlog)
                let ledger = try workshop.freshLedger(template)
                try await workshop.calmDisk()
                return ledger
            }
            let whole = try await workshop.consume(into: try await fresh(backlog), expecting: backlog.count)
            pipeline.add(Double(backlog.count) / whole.seconds)
            gate.add(Double(backlog.count) / (try await decide(batches, try await fresh(backlog), in: workshop)))
            ledgerAlone.add(Double(backlog.count) / (try await record(batches, try await fresh(backlog))))
            try await workshop.restore(backlog)
            stream.add(Double(backlog.count) / (try await readStream(backlog, in: workshop)))
            let slow = try await workshop.consume(
                into: try await fresh(few), expecting: few.count, ["--batch-orders", "1"])
            single.add(Double(few.count) / slow.seconds)
            let figures = [pipeline, gate, ledgerAlone, stream, single].map { Table.number($0.rounds.last ?? 0) }
            return "\(figures[0]) orders/s; gate \(figures[1]), ledger \(figures[2]), stream \(figures[3]), "
                + "one at a time \(figures[4])"
        }
        try await workshop.drop(backlog, few)
        let ratio = pipeline.median / min(gate.median, ledgerAlone.median)
        return [
            Row(
                group: .stages, figure: "whole pipeline, orders", unit: .perSecond, goal: "≥ 0.6 × slower of two",
                ours: pipeline,
                others: [
                    .init(name: "gate alone", samples: gate), .init(name: "ledger alone", samples: ledgerAlone),
                    .init(name: "stream alone", samples: stream), .init(name: "ours, one at a time", samples: single),
                ], ratio: ratio, isReached: ratio >= 0.6)
        ]
    }

    /// The orders as the consumer has them after decoding and planning, in batches.
    private static func batches(_ count: Int, _ maker: OrderMaker) throws -> [[DecidedCommand]] {
        var maker = maker
        let type = ByteSlice(Array(Command.Kind.placeOrder.rawValue.utf8))
        let now = Timestamp.now()
        let orders = try (1...count).map { number in
            let payload = maker.next()
            guard
                case .success(.placeOrder(let order)) = MessageDecoder.decode(
                    type: type, payload: ByteSlice(payload))
            else {
                throw BenchError("preparing orders failed: on \(String(decoding: payload, as: UTF8.self)): invalid.")
            }
            // All fit: the gate, which is asked separately, decides the same.
            return DecidedCommand(
                PlannedCommand(.placeOrder(order), movements: order.movements), .accepted(seq: Int64(number)),
                decidedAt: now, entryID: "\(1_700_000_000_000 + number)-0")
        }
        return stride(from: 0, to: count, by: batchOrders).map { Array(orders[$0..<min($0 + batchOrders, count)]) }
    }

    /// - Returns: Seconds.
    private func decide(_ batches: [[DecidedCommand]], _ path: String, in workshop: Workshop) async throws -> Double {
        let ledger = try await LedgerDatabase.open(at: path, store: workshop.keys.store, for: .consumer)
        defer { try? ledger.close() }
        let start = try await ledger.raiseEpoch(catalogueBefore: nil, reason: "bench")
        let store = CounterStore(keys: workshop.keys, ledger: ledger.identity, client: workshop.client)
        let installed = try await store.install(
            Installation(
                epoch: start.head.epoch, seq: 0, position: start.head.position,
                catalogueVersion: start.head.catalogueVersion,
                counters: start.counters))
        guard case .installed = installed else {
            throw BenchError("installing counters failed: on Redis: \(installed).")
        }
        let commands = batches.map { $0.map(\.planned) }
        var seq: Int64 = 0
        let began = ContinuousClock.now
        for batch in commands {
            guard case .decided(let after, _) = try await store.decide(batch, epoch: start.head.epoch, seq: seq) else {
                throw BenchError("deciding prepared batches failed: on Redis: it was fenced.")
            }
            seq = after
        }
        let ended = ContinuousClock.now
        let expected = batches.reduce(0) { $0 + $1.count }
        guard seq == Int64(expected) else { throw BenchError("deciding failed: \(seq) of \(expected) were accepted.") }
        return (ended - began) / .seconds(1)
    }

    /// - Returns: Seconds.
    private func record(_ batches: [[DecidedCommand]], _ path: String) async throws -> Double {
        let ledger = try await LedgerDatabase.open(at: path, store: nil, for: .consumer)
        defer { try? ledger.close() }
        let head = try await ledger.raiseEpoch(catalogueBefore: nil, reason: "bench").head
        var seq: Int64 = 0
        let began = ContinuousClock.now
        for batch in batches {
            let answer = try await ledger.record(
                JournalBatch(
                    epoch: head.epoch, catalogueVersion: head.catalogueVersion, seqBefore: seq,
                    records: batch.map { .command($0) }))
            seq += Int64(batch.count)
            guard answer == .recorded(position: head.position + seq) else {
                throw BenchError("recording prepared batches failed: on \(path): \(answer).")
            }
        }
        return (ContinuousClock.now - began) / .seconds(1)
    }

    /// - Returns: Seconds.
    private func readStream(_ backlog: Backlog, in workshop: Workshop) async throws -> Double {
        let client = Workshop.client(of: workshop.redis)
        let reader = StreamReader(client: client, keys: workshop.keys, consumer: "bench")
        try await reader.connect()
        var count = 0
        let began = ContinuousClock.now
        while count < backlog.count {
            let entries = try await reader.next(block: .milliseconds(20)).entries
            if entries.isEmpty { continue }
            var command = RedisCommand("XACK", capacity: entries.count * 24)
            command.append(contentsOf: [workshop.keys.checkouts, StoreKeys.group])
            for entry in entries { command.append(entry.id) }
            _ = try await client.send(command)
            count += entries.count
        }
        let ended = ContinuousClock.now
        await client.close()
        guard try await workshop.isAcknowledged() else {
            throw BenchError("reading the stream failed: on \(workshop.keys.checkouts): messages are left.")
        }
        return (ended - began) / .seconds(1)
    }
}
