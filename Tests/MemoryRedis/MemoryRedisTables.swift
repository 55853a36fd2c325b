import Counters
import Ingest
import Domain

/// The data of a store in Redis as values: the stream with its group, the counters, the outcomes. Each method is one
/// atomic step, like the script of the same name.
package struct MemoryRedisTables: Sendable {
    package struct Counters: Sendable {
        package var head: CounterHead
        package var sold: [CounterName: Int64]
        var caps: [CounterName: Int64]
    }

    /// nil if no counters are installed.
    package var counters: Counters?
    private var places: [(position: StreamID, entry: StreamEntry)] = []
    /// The number of entries added so far.
    private var added: Int64 = 0
    /// The number of times each pending entry was delivered.
    private var deliveries: [StreamID: Int64] = [:]
    private var lastDelivered: StreamID?
    private var acknowledged: Int64 = 0
    private var lost: Int64 = 0
    package private(set) var outcomes: [RecordedOutcome] = []
    /// The error with which outcomes are refused, or nil if they are accepted.
    package var refusal: String?
    package private(set) var changedProducts: [Identifier] = []
    package var isFull = false

    package init() {}

    private func isUnread(_ position: StreamID) -> Bool { lastDelivered.map { $0 < position } ?? true }

    // MARK: - The stream

    package var stream: [StreamEntry] { places.map(\.entry) }

    /// Whether there are entries that were never delivered.
    package var hasUnread: Bool { places.last.map { isUnread($0.position) } ?? false }

    package mutating func publish(_ fields: [StreamEntry.Field], at milliseconds: Int64) -> String {
        let id = "\(milliseconds)-\(added + 1)"
        add(StreamEntry(id: id, fields: fields))
        return id
    }

    /// - Precondition: the entry's id is higher than all earlier ids.
    package mutating func add(_ entry: StreamEntry) {
        guard let position = StreamID(entry.id) else { preconditionFailure("\(entry.id) is not an id") }
        precondition(places.last.map { $0.position < position } ?? true, "\(entry.id) comes after a higher one")
        added += 1
        places.append((position, entry))
    }

    /// Returns whether the entry is unread or pending.
    package func isWaiting(_ entry: String) -> Bool {
        guard let position = StreamID(entry), places.contains(where: { $0.position == position }) else {
            return false
        }
        return deliveries[position] != nil || isUnread(position)
    }

    package func isPending(_ entry: String) -> Bool {
        StreamID(entry).map { deliveries[$0] != nil } ?? false
    }

    package var pending: PendingSummary {
        PendingSummary(count: Int64(deliveries.count), lowest: deliveries.keys.min())
    }

    private mutating func deliver(
        _ entries: some Sequence<(position: StreamID, entry: StreamEntry)>
    ) -> [StreamEntry] {
        entries.map { position, entry in
            deliveries[position, default: 0] += 1
            var entry = entry
            entry.deliveries = deliveries[position] ?? 1
            return entry
        }
    }

    /// Claims the first pending entries after `last`.
    package mutating func claim(_ count: Int, after last: StreamID?) -> Delivery {
        let rest = deliveries.keys.filter { position in last.map { $0 < position } ?? true }.sorted()
        let claimed = Set(rest.prefix(count))
        let found = places.filter { claimed.contains($0.position) }
        let lost = claimed.subtracting(found.map(\.position)).sorted()
        for position in lost { deliveries[position] = nil }
        return Delivery(entries: deliver(found), lost: lost.map(\.text), isFull: rest.count > count)
    }

    /// Delivers the first entries that were never delivered.
    package mutating func read(_ count: Int) -> Delivery {
        let new = places.filter { isUnread($0.position) }.prefix(count)
        lastDelivered = new.last?.position ?? lastDelivered
        return Delivery(entries: deliver(new), isEmptyRead: new.isEmpty, isFull: new.count == count)
    }

    // MARK: - The counters

    package mutating func install(_ installation: Installation, of ledger: String) -> InstallResult {
        if let found = counters?.head {
            if let other = found.ledger, other != ledger { return .refused(.otherLedger(other)) }
            if let epoch = found.epoch, epoch >= installation.epoch { return .refused(.laterEpoch(epoch)) }
            let head = LedgerHead(
                epoch: installation.epoch, seq: installation.seq, position: installation.position,
                catalogueVersion: installation.catalogueVersion)
            if found.remembersMoreRows(than: head) {
                return .refused(.moreRecorded(settled: found.settled ?? 0, recorded: found.recorded ?? 0))
            }
        }
        let before = counters?.head.announced ?? 0
        let announced = (0...installation.position).contains(before) ? before : 0
        let sold = installation.counters.compactMap { counter in counter.state.sold.map { (counter.name, $0) } }
        let caps = installation.counters.compactMap { counter in counter.state.cap.map { (counter.name, $0) } }
        counters = Counters(
            head: CounterHead(
                ledger: ledger, epoch: installation.epoch, seq: installation.seq, settled: installation.seq,
                recorded: installation.recorded, catalogue: installation.catalogueVersion,
                announced: announced),
            sold: Dictionary(uniqueKeysWithValues: sold), caps: Dictionary(uniqueKeysWithValues: caps))
        return .installed(announced: announced)
    }

    package mutating func decide(_ commands: [PlannedCommand], of ledger: String, epoch: Int64, seq: Int64)
        -> GateResult
    {
        let found = counters?.head ?? CounterHead()
        func fenced(_ what: String) -> GateResult {
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

    package mutating func acknowledge(
        _ acknowledgement: Acknowledgement, of ledger: String, keepOutcomes: Int
    ) -> AcknowledgeResult {
        guard var head = counters?.head, head.ledger == ledger, head.epoch == acknowledgement.epoch,
            let seq = head.seq, seq >= acknowledgement.settled
        else { return .fenced }
        var report = AcknowledgeReport()
        for position in acknowledgement.entries.compactMap({ StreamID($0) })
        where deliveries.removeValue(forKey: position) != nil {
            report.acknowledged += 1
        }
        acknowledged += report.acknowledged
        head.settled = max(head.settled ?? 0, acknowledgement.settled)
        head.recorded = max(head.recorded ?? 0, acknowledgement.recorded)
        if let announcement = acknowledgement.announcement, head.announced == announcement.after {
            for recorded in announcement.outcomes {
                report.refusal = announce(recorded, keepOutcomes)
                if report.refusal != nil { break }
                head.announced = recorded.place.position
            }
            if report.refusal == nil { head.announced = announcement.through }
        }
        report.announced = head.announced
        counters?.head = head
        for recorded in acknowledgement.repeated where announce(recorded, keepOutcomes) != nil {
            report.unrepeated += 1
        }
        changedProducts += acknowledgement.changed
        return .acknowledged(report)
    }

    /// - Returns: the error with which the outcome is refused, or nil if it is accepted.
    private mutating func announce(_ recorded: RecordedOutcome, _ keepOutcomes: Int) -> String? {
        if let refusal { return refusal }
        outcomes = Array((outcomes + [recorded]).suffix(keepOutcomes))
        return nil
    }

    // MARK: - Upkeep

    mutating func trim(_ retention: Retention, at milliseconds: Int64) -> TrimReport {
        let age = Int64(retention.age / .milliseconds(1))
        var report = TrimReport(
            aged: 0, excess: 0, outcomes: 0, time: milliseconds, lastDelivered: lastDelivered?.text ?? "0-0",
            acknowledged: (deliveries.keys.min() ?? lastDelivered)?.text ?? "0-0")
        while let first = places.first?.position, !isUnread(first), deliveries[first] == nil,
            report.aged + report.excess < Int64(retention.limit)
        {
            let isOld =
                Int64(clamping: first.milliseconds) < milliseconds - age
                || retention.olderThan.flatMap { StreamID($0) }.map { first < $0 } ?? false
            guard isOld || places.count > retention.messages else { break }
            places.removeFirst()
            if isOld { report.aged += 1 } else { report.excess += 1 }
        }
        if let keep = retention.outcomes, outcomes.count > keep {
            report.outcomes = Int64(outcomes.count - keep)
            outcomes = Array(outcomes.suffix(keep))
        }
        return report
    }

    /// Every entry that was ever added is acknowledged, pending, unread, or lost.
    mutating func checkForLostMessages() -> LostMessages {
        let found = hasUnread ? 0 : added - acknowledged - Int64(deliveries.count) - lost
        lost += found
        return LostMessages(found: found, total: lost, foundAt: nil)
    }

    var lostMessages: LostMessages { LostMessages(found: 0, total: lost, foundAt: nil) }

    var oldestMessage: StreamID? { places.first?.position ?? lastDelivered }

    // MARK: - Faults

    /// Deletes an entry from the stream, whether it was processed or not.
    package mutating func delete(_ id: String) { places.removeAll { $0.entry.id == id } }

    /// Loses all writes after `earlier`.
    package mutating func forget(since earlier: MemoryRedisTables) { self = earlier }

    /// Recreates the group at the beginning of the stream, and deletes the counters.
    package mutating func loseGroup() {
        (deliveries, lastDelivered, acknowledged, lost, counters) = ([:], nil, 0, 0, nil)
    }

    /// Loses the announcement of the latest `count` rows of the journal.
    package mutating func forgetOutcomes(_ count: Int) {
        guard let announced = counters?.head.announced, announced > 0 else { return }
        let kept = max(announced - Int64(count), 0)
        counters?.head.announced = kept
        outcomes.removeAll { $0.place.position > kept }
    }

    /// Makes an acknowledged entry pending again.
    package mutating func forgetAcknowledgement(of id: String) {
        guard let position = StreamID(id) else { return }
        deliveries[position, default: 0] += 1
        acknowledged -= 1
    }
}
