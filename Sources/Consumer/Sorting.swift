import Counters
import Intake
import Inventory
import Ledger

/// Goes through a batch's entries in their order and says what becomes of each.
struct Sorting {
    let known: KnownEntries
    let inFlight: InFlight
    let catalog: CatalogIndex
    let deadLetters: DeadLetterMaker
    /// Terms of all operations together at most, but for one operation: they are what holds Redis up.
    let maximumTerms: Int

    var batch: PreparedBatch
    private var terms = 0
    /// Entry ids under which dead letters stand: a fingerprint is worked out only for these.
    private let deadEntries: Set<String>
    /// What orders own after the batch's cancellations so far.
    private var owned: [Identifier: [SKUUnits]] = [:]

    /// - Parameter count: how many entries there are at most.
    init(
        known: KnownEntries, inFlight: InFlight, catalog: CatalogIndex, deadLetters: DeadLetterMaker, maximumTerms: Int,
        count: Int
    ) {
        self.known = known
        self.inFlight = inFlight
        self.catalog = catalog
        self.deadLetters = deadLetters
        self.maximumTerms = maximumTerms
        batch = PreparedBatch(catalogueVersion: catalog.version)
        batch.messages.reserveCapacity(count)
        batch.entries.reserveCapacity(count)
        batch.plans.reserveCapacity(count)
        batch.operations.reserveCapacity(count)
        deadEntries = Set(known.deadLetters.keys.map(\.entryID))
    }

    /// What becomes of the next entry; nil: the batch is large enough without it.
    mutating func plan(for decoded: DecodedEntry) -> PreparedBatch.Plan? {
        let entry = decoded.entry
        if deadEntries.contains(entry.id),
            let outcome = known.deadLetters[EntryKey(entryID: entry.id, fingerprint: entry.fingerprint)]
        {
            return .known(outcome)
        }
        if let key = decoded.key {
            if let message = inFlight.message(key) ?? known.messages[key] {
                return message.digest == decoded.digest ? .known(message.outcome) : conflict(decoded, key)
            }
            if let message = batch.messages[key] {
                return message.digest == decoded.digest
                    ? .replayInBatch(operation: message.operation) : conflict(decoded, key)
            }
        }
        switch decoded.content {
        case .rejected(let invalid):
            return .deadLetter(deadLetters.record(entry, invalid))
        case .order(let order):
            if let invalid = catalog.violation(in: order.checkout) {
                return .deadLetter(deadLetters.record(entry, invalid, ids: decoded.ids))
            }
            return decide(.order(order), Operation(.take, order.demand), decoded)
        case .cancellation(let cancellation): return plan(cancellation, decoded)
        case .adjustment(let adjustment): return plan(adjustment, decoded)
        }
    }

    private mutating func plan(_ cancellation: Cancellation, _ decoded: DecodedEntry) -> PreparedBatch.Plan? {
        let order = cancellation.orderID
        guard let owned = owned[order] ?? known.owned[order] else {
            let invalid = InvalidMessage(.unknownOrder, "order_id: no order \"\(order)\" is recorded")
            return .deadLetter(deadLetters.record(decoded.entry, invalid, ids: decoded.ids))
        }
        let releases = cancellation.releases(from: owned)
        let givenBack = cancellation.givenBack(releases)
        let plan = decide(
            .cancellation(cancellation, releases: releases, givenBack: givenBack),
            Operation(.give, givenBack.demand()), decoded)
        if plan != nil {
            self.owned[order] = Cancellation.remaining(of: owned, after: releases)
            batch.cancelledOrders.insert(order)
        }
        return plan
    }

    private mutating func plan(_ adjustment: Adjustment, _ decoded: DecodedEntry) -> PreparedBatch.Plan? {
        if let invalid = catalog.violation(in: adjustment) ?? violation(in: adjustment) {
            return .deadLetter(deadLetters.record(decoded.entry, invalid, ids: decoded.ids))
        }
        let demand = [SKUUnits(adjustment.sku, abs(adjustment.units))].demand()
        return decide(.adjustment(adjustment), Operation(adjustment.units < 0 ? .give : .add, demand), decoded)
    }

    private func violation(in adjustment: Adjustment) -> InvalidMessage? {
        for counter in adjustment.sku.counters {
            guard let (sold, adjusted) = known.adjusted[counter] else { continue }
            if let invalid = adjustment.violation(of: counter, sold: sold, adjusted: adjusted) { return invalid }
        }
        return nil
    }

    /// nil when the operation would make the batch too large.
    private mutating func decide(
        _ message: DecidableMessage, _ operation: Operation, _ decoded: DecodedEntry
    ) -> PreparedBatch.Plan? {
        guard let key = decoded.key else { return nil }
        terms += operation.demand.count
        if terms > maximumTerms, !batch.operations.isEmpty { return nil }
        batch.messages[key] = BatchMessage(operation: batch.operations.count, digest: decoded.digest)
        batch.operations.append(operation)
        return .decide(message, digest: decoded.digest)
    }

    private func conflict(_ decoded: DecodedEntry, _ key: MessageKey) -> PreparedBatch.Plan {
        let invalid = InvalidMessage(key.conflict, "\(key.field): \"\(key.id)\" is recorded with other content")
        return .deadLetter(deadLetters.record(decoded.entry, invalid, ids: decoded.ids))
    }
}
