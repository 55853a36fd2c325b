import Counters
import Intake
import Inventory

/// What Redis holds of a store, as values: the stream with its group, the counters, the outcomes. Each method is one
/// atomic step, as the script of the same name is.
package struct MemoryRedisTables: Sendable {
    package struct Counters: Sendable {
        package var head: CounterHead
        package var sold: [CounterName: Int64]
        var caps: [CounterName: Int64]
    }

    /// nil: none are installed.
    package var counters: Counters?
    private(set) var stream: [StreamEntry] = []
    /// Ids given so far.
    private var ids: Int64 = 0
    /// How often each pending entry was delivered, by its id.
    private var deliveries: [String: Int64] = [:]
    private var lastDelivered: EntryPosition?
    private var acknowledged: Int64 = 0
    private var lost: Int64 = 0
    package private(set) var outcomes: [Outcome] = []
    package private(set) var changedProducts: [Identifier] = []
    package var isFull = false

    func isUnread(_ id: String) -> Bool {
        guard let position = EntryPosition(id) else { return false }
        return lastDelivered.map { $0 < position } ?? true
    }

    // MARK: - The stream

    package mutating func publish(_ fields: [StreamEntry.Field], at milliseconds: Int64) -> String {
        ids += 1
        let id = "\(milliseconds)-\(ids)"
        stream.append(StreamEntry(id: id, fields: fields))
        return id
    }

    package func isWaiting(_ entry: String) -> Bool {
        stream.contains { $0.id == entry } && (deliveries[entry] != nil || isUnread(entry))
    }

    var pending: PendingSummary {
        PendingSummary(count: Int64(deliveries.count), lowest: deliveries.keys.compactMap { EntryPosition($0) }.min())
    }

    private mutating func deliver(_ entries: some Sequence<StreamEntry>) -> [StreamEntry] {
        entries.map { entry in
            deliveries[entry.id, default: 0] += 1
            var entry = entry
            entry.deliveries = deliveries[entry.id] ?? 1
            return entry
        }
    }

    /// Pending entries behind `last`, the first ones.
    mutating func claim(_ count: Int, after last: EntryPosition?) -> Delivery {
        var rest: [EntryPosition] = deliveries.keys.compactMap { EntryPosition($0) }.sorted()
        if let last { rest.removeAll { $0 <= last } }
        let (claimed, more) = (rest.prefix(count), rest.count > count)
        let entries = claimed.compactMap { position in stream.first { $0.id == position.text } }
        let lost = claimed.filter { position in !stream.contains { $0.id == position.text } }
        for position in lost { deliveries[position.text] = nil }
        return Delivery(entries: deliver(entries), lost: lost.map(\.text), isFull: more)
    }

    /// Entries that nobody was given, the first ones.
    mutating func read(_ count: Int) -> Delivery {
        let new = stream.filter { isUnread($0.id) }
        let given = deliver(new.prefix(count))
        if let last = given.last { lastDelivered = EntryPosition(last.id) }
        return Delivery(entries: given, isEmptyRead: given.isEmpty, isFull: new.count > count)
    }

    // MARK: - The counters

    mutating func install(_ installation: Installation, of ledger: String) -> InstallAnswer {
        if let found = counters?.head {
            if let other = found.ledger, other != ledger { return .refused(.otherLedger(other)) }
            if let epoch = found.epoch, epoch >= installation.epoch { return .refused(.laterEpoch(epoch)) }
            let head = LedgerHead(
                epoch: installation.epoch, seq: installation.seq, records: installation.records,
                catalogueVersion: installation.catalogueVersion)
            if found.remembersMoreRows(than: head) {
                return .refused(.moreRecorded(settled: found.settled ?? 0, recorded: found.recorded ?? 0))
            }
        }
        let sold = installation.counters.compactMap { counter in counter.state.sold.map { (counter.name, $0) } }
        let caps = installation.counters.compactMap { counter in counter.state.cap.map { (counter.name, $0) } }
        counters = Counters(
            head: CounterHead(
                ledger: ledger, epoch: installation.epoch, seq: installation.seq, settled: installation.seq,
                recorded: installation.records, catalogue: installation.catalogueVersion),
            sold: Dictionary(uniqueKeysWithValues: sold), caps: Dictionary(uniqueKeysWithValues: caps))
        return .installed
    }

    mutating func decide(_ commands: [PlannedCommand], of ledger: String, epoch: Int64, seq: Int64) -> GateAnswer {
        let found = counters?.head ?? CounterHead()
        func fenced(_ what: String) -> GateAnswer {
            .fenced(what: what, found: CounterHead(ledger: found.ledger, epoch: found.epoch, seq: found.seq))
        }
        if found.ledger != ledger { return fenced("ledger") }
        if found.epoch != epoch { return fenced("epoch") }
        guard found.seq == seq, var after = counters else { return fenced("seq") }
        var now = seq
        var decisions: [Decision] = []
        for planned in commands {
            let movements = planned.movements.filter { $0.sold != 0 }
            if let unknown = movements.first(where: { after.sold[$0.counter] == nil }) {
                return fenced("sold:\(unknown.counter.field)")
            }
            let short = movements.first { movement in
                let left = CapRule.left(sold: after.sold[movement.counter] ?? 0, cap: after.caps[movement.counter])
                return planned.command.isBoundByCaps && movement.sold > left
            }
            if let short {
                let left = CapRule.left(sold: after.sold[short.counter] ?? 0, cap: after.caps[short.counter])
                decisions.append(.refused(Shortage(counter: short.counter, asked: short.sold, left: left)))
            } else if movements.isEmpty {
                decisions.append(.unchanged)
            } else {
                for movement in movements { after.sold[movement.counter, default: 0] += movement.sold }
                now += 1
                decisions.append(.accepted(seq: now))
            }
        }
        after.head.seq = now
        counters = after
        return .decided(seq: now, decisions)
    }

    mutating func acknowledge(
        _ acknowledgement: Acknowledgement, of ledger: String, keepOutcomes: Int
    ) -> AcknowledgeAnswer {
        guard var head = counters?.head, head.ledger == ledger, head.epoch == acknowledgement.epoch,
            let seq = head.seq, seq >= acknowledgement.settled
        else { return .fenced }
        var report = AcknowledgeReport()
        for entry in acknowledgement.entries where deliveries.removeValue(forKey: entry) != nil {
            report.acknowledged += 1
        }
        acknowledged += report.acknowledged
        head.settled = max(head.settled ?? 0, acknowledgement.settled)
        head.recorded = max(head.recorded ?? 0, acknowledgement.recorded)
        counters?.head = head
        outcomes = Array((outcomes + acknowledgement.outcomes).suffix(keepOutcomes))
        changedProducts += acknowledgement.changed
        return .acknowledged(report)
    }

    // MARK: - Upkeep

    mutating func trim(_ retention: Retention, at milliseconds: Int64) -> TrimReport {
        let age = Int64(retention.age / .milliseconds(1))
        var report = TrimReport(
            aged: 0, excess: 0, outcomes: 0, time: milliseconds, lastDelivered: lastDelivered?.text ?? "0-0",
            acknowledged: deliveries.keys.compactMap { EntryPosition($0) }.min()?.text ?? lastDelivered?.text ?? "0-0")
        while let first = stream.first.flatMap({ EntryPosition($0.id) }), !isWaiting(first.text),
            report.aged + report.excess < Int64(retention.limit)
        {
            let isOld =
                Int64(clamping: first.milliseconds) < milliseconds - age
                || retention.olderThan.flatMap { EntryPosition($0) }.map { first < $0 } ?? false
            guard isOld || stream.count > retention.messages else { break }
            stream.removeFirst()
            if isOld { report.aged += 1 } else { report.excess += 1 }
        }
        if let keep = retention.outcomes, outcomes.count > keep {
            report.outcomes = Int64(outcomes.count - keep)
            outcomes = Array(outcomes.suffix(keep))
        }
        return report
    }

    /// Whatever was ever added is acknowledged, pending, unread, or lost.
    mutating func lookForLostMessages() -> LostMessages {
        let found = hasUnread ? 0 : ids - acknowledged - Int64(deliveries.count) - lost
        lost += found
        return LostMessages(found: found, total: lost, foundAt: nil)
    }

    var lostMessages: LostMessages { LostMessages(found: 0, total: lost, foundAt: nil) }

    var oldestMessage: EntryPosition? { stream.first.flatMap { EntryPosition($0.id) } ?? lastDelivered }

    // MARK: - What goes wrong

    /// Takes an entry out of the stream, whether it was processed or not.
    package mutating func delete(_ id: String) { stream.removeAll { $0.id == id } }

    /// All that was written after `earlier` is forgotten.
    package mutating func forget(since earlier: MemoryRedisTables) {
        let given = ids
        self = earlier
        // Redis would give them again; the tests tell entries apart by their ids.
        ids = given
    }
}
