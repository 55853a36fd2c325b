import Counters
import Ingest
import Domain
import Ledger

/// Plans each entry of a batch before anything is decided. Does no I/O: the caller runs `lookup` against the ledger,
/// and passes the result to `plan`.
///
/// Finds replays, conflicts, and entries that are dead letters already. A dead letter that is read again may have
/// become valid in the meantime; if it were decided, one message would have two records and two outcomes.
struct BatchPlanner: Sendable {
    /// The entries that can be planned now: those before the first entry that depends on an unrecorded change. Empty if
    /// the first entry does: it waits for the batch that is being recorded.
    let entries: ArraySlice<DecodedEntry>
    /// The keys that must be looked up in the ledger to plan these entries.
    let lookup: BatchLookup
    private let context: PlanningContext
    private let time: String

    private var batch: PlannedBatch
    private var movements = 0
    /// The units that orders own after the batch's cancellations so far.
    private var owned: [Identifier: [SKUUnits]] = [:]

    /// - Parameter time: the time of planning, RFC 3339, UTC.
    init(_ entries: [DecodedEntry], _ context: PlanningContext, at time: String) {
        self.context = context
        self.time = time
        self.entries = Self.independent(entries, of: context.recording)
        lookup = BatchLookup(self.entries)
        batch = PlannedBatch(catalogueVersion: context.catalogue.version)
    }

    /// Returns the entries before the first one that must wait until earlier changes are in the ledger.
    ///
    /// The units that a cancellation gives back depend on the units that its order owns. An adjustment must be the
    /// first entry of its batch, while no batch is being recorded: the ledger then shows how many units it may remove.
    /// Refunds must come first, too, because they may refer to dead letters as well as to orders.
    private static func independent(
        _ entries: [DecodedEntry], of recording: UnrecordedBatch?
    ) -> ArraySlice<DecodedEntry> {
        var orders: Set<Identifier> = []
        // Most batches contain only orders, which depend on no other command.
        let needsOrders = entries.contains { if case .success(.cancel) = $0.command { true } else { false } }
        var areRefunds = true
        // Found by index, not by id: a Redis that lost its tail may assign one id to two messages.
        let end = entries.indices.first { place in
            let isAfterRefunds = areRefunds
            guard case .success(let command) = entries[place].command else {
                areRefunds = false
                return false
            }
            if command.kind != .refund { areRefunds = false }
            switch command {
            case .placeOrder(let order):
                if needsOrders { orders.insert(order.id) }
                return false
            case .cancel(let cancellation):
                return recording?.changes(cancellation.orderID) ?? false || orders.contains(cancellation.orderID)
            case .adjust: return recording != nil || place != entries.startIndex
            case .refund: return recording != nil || !isAfterRefunds
            }
        }
        return entries[..<(end ?? entries.endIndex)]
    }

    /// Plans the entries in order, and leaves out the last ones if they would make the batch too large.
    /// - Parameter prior: the ledger's result for `lookup`.
    consuming func plan(by prior: PriorState) -> PlannedBatch {
        batch.entries.reserveCapacity(entries.count)
        batch.plans.reserveCapacity(entries.count)
        batch.records.reserveCapacity(entries.count)
        batch.places.reserveCapacity(entries.count)
        // Fingerprints are computed only for entries whose id is among the dead letters.
        let deadEntries = Set(prior.deadLetters.keys.map(\.entryID))
        for decoded in entries {
            if deadEntries.contains(decoded.entry.id), let outcome = prior.deadLetters[EntryIdentity(decoded.entry)] {
                // This is the same entry, left pending by a crash, not a replayed message.
                add(decoded, .known(Replay(outcome)))
                continue
            }
            guard let plan = plan(decoded, by: prior) else { break }
            add(decoded, plan)
            if !context.requestedReplays.isEmpty {
                batch.replayed += context.requestedReplays[decoded.entry.fingerprint] ?? []
            }
        }
        assert(batch.plans.count == batch.entries.count)
        return batch
    }

    private mutating func add(_ decoded: DecodedEntry, _ plan: PlannedBatch.Plan) {
        // A poison message must stay marked in case it is planned again.
        batch.entries.append(decoded.entry.mayBePoison ? .poison(decoded.entry) : .decoded(decoded))
        batch.plans.append(plan)
    }

    /// - Returns: `nil` if the batch has no room for the entry.
    private mutating func plan(_ decoded: DecodedEntry, by prior: PriorState) -> PlannedBatch.Plan? {
        let command: Command
        switch decoded.command {
        case .failure(let invalid): return reject(decoded, invalid)
        case .success(let decodedCommand): command = decodedCommand
        }
        if let (digest, plan) = earlierDecision(on: command.key, by: prior) {
            return digest == command.digest ? plan : conflict(decoded, command)
        }
        if let invalid = violation(in: command, by: prior) { return reject(decoded, invalid, command) }
        switch command {
        case .placeOrder(let order): return decide(command, order.movements)
        case .cancel(let cancellation): return cancel(command, cancellation, by: prior)
        case .adjust(let adjustment): return decide(command, adjustment.movements)
        case .refund: return decide(command, [])
        }
    }

    /// Finds an earlier decision on a command with this key: in the batch that is being recorded, in the ledger, or in
    /// this batch.
    /// - Returns: the digest of the command's content, and the plan for a message with the same content.
    private func earlierDecision(
        on key: Command.Key, by prior: PriorState
    ) -> (digest: [UInt8], plan: PlannedBatch.Plan)? {
        if let (digest, replay) = context.recording?.decision(of: key) { return (digest, .known(replay)) }
        if let earlier = prior.decisions[key] { return (earlier.digest, .known(Replay(earlier.outcome))) }
        guard let place = batch.places[key], let earlier = batch.records[place].command else { return nil }
        assert(earlier.command.key == key, "a place leads to its command")
        return (earlier.command.digest, .replay(ofRecord: place))
    }

    /// Why a command can never be decided, given the catalogue and the recorded commands; `nil` if it can.
    private func violation(in command: Command, by prior: PriorState) -> InvalidMessage? {
        switch command {
        case .placeOrder(let order):
            return context.catalogue.violation(in: order.checkout)
        case .cancel(let cancellation):
            let order = cancellation.orderID
            if owned(by: order, prior) != nil { return nil }
            return InvalidMessage(.unknownOrder, "order_id: no order \"\(order)\" is recorded")
        case .adjust(let adjustment):
            return context.catalogue.violation(in: adjustment) ?? adjustment.violation(by: { prior.balances[$0] })
        case .refund(let refund):
            if let payments = prior.payments[refund.orderID] { return refund.violation(given: payments) }
            return InvalidMessage(
                .unknownOrder, "order_id: no order \"\(refund.orderID)\" is recorded, nor a dead letter of one")
        }
    }

    /// What an order owns after the cancellations of this batch so far; `nil` if the order is unknown.
    private func owned(by order: Identifier, _ prior: PriorState) -> [SKUUnits]? { owned[order] ?? prior.owned[order] }

    private mutating func cancel(
        _ command: Command, _ cancellation: Cancellation, by prior: PriorState
    ) -> PlannedBatch.Plan? {
        let order = cancellation.orderID
        let effect = CancellationEffect(cancellation, from: owned(by: order, prior) ?? [])
        guard let plan = decide(command, effect.movements) else { return nil }
        owned[order] = effect.remaining
        batch.cancelledOrders.insert(order)
        return plan
    }

    /// - Returns: `nil` if the command would make the batch too large.
    private mutating func decide(_ command: Command, _ changes: [Movement]) -> PlannedBatch.Plan? {
        movements += changes.count
        if movements > context.maximumMovements, !batch.places.isEmpty { return nil }
        batch.places[command.key] = batch.records.count
        return add(.command(PlannedCommand(command, movements: changes)))
    }

    private mutating func conflict(_ decoded: DecodedEntry, _ command: Command) -> PlannedBatch.Plan {
        let (kind, id) = (command.kind, command.key.id)
        let invalid = InvalidMessage(kind.conflict, "\(kind.idField): \"\(id)\" is recorded with other content")
        return reject(decoded, invalid, command)
    }

    /// - Parameter command: the command that was decoded; if `nil`, the dead letter gets the ids that can be read from
    ///   the payload.
    private mutating func reject(
        _ decoded: DecodedEntry, _ invalid: InvalidMessage, _ command: Command? = nil
    ) -> PlannedBatch.Plan {
        let letter = context.deadLetters.record(decoded.entry, invalid, ids: command?.ids, at: time)
        // The same entry was delivered again, over a connection that is still open.
        if let replay = context.recording?.replay(ofDeadLetter: letter.key) { return .known(replay) }
        if let place = batch.deadLetters[letter.key] { return .replay(ofRecord: place) }
        batch.deadLetters[letter.key] = batch.records.count
        return add(.deadLetter(letter))
    }

    private mutating func add(_ record: BatchRecord<PlannedCommand>) -> PlannedBatch.Plan {
        batch.records.append(record)
        return .record(batch.records.count - 1)
    }
}

extension BatchLookup {
    fileprivate init(_ entries: ArraySlice<DecodedEntry>) {
        self.init()
        keys.reserveCapacity(entries.count)
        entryIDs.reserveCapacity(entries.count)
        for decoded in entries {
            entryIDs.append(decoded.entry.id)
            guard case .success(let command) = decoded.command else { continue }
            keys.append(command.key)
            switch command.orderID {
            case let order? where command.kind == .refund: paidOrders.append(order)
            case let order?: orders.append(order)
            case nil: break
            }
            if case .adjust(let adjustment) = command.effect { adjustedCounters += adjustment.sku.counters }
        }
    }
}

extension EntryIdentity {
    init(_ entry: StreamEntry) { self.init(entryID: entry.id, fingerprint: entry.fingerprint) }
}
