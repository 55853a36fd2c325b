import Counters
import Failpoints
import Intake
import Inventory
import Ledger

/// Decodes entries, validates them against the catalogue, and tells apart what is new, known and impossible.
struct Preparation: Sendable {
    let ledger: LedgerDatabase
    let catalog: CatalogIndex

    /// Decodes as many entries as a batch's bound on lines allows, at least one.
    func decode(_ entries: ArraySlice<StreamEntry>, maximumLines: Int) -> [DecodedEntry] {
        Failpoint.decodeBefore.pass()
        var decoded: [DecodedEntry] = []
        decoded.reserveCapacity(entries.count)
        var lines = 0
        for entry in entries {
            Failpoint.decodeEntry.pass(over: entry.payload ?? [])
            let next = DecodedEntry(entry: entry, content: content(of: entry))
            lines += next.lines
            if lines > maximumLines, !decoded.isEmpty { break }
            decoded.append(next)
        }
        Failpoint.decodeAfter.pass()
        return decoded
    }

    private func content(of entry: StreamEntry) -> DecodedEntry.Content {
        switch MessageDecoder.decode(type: entry.type, payload: entry.payload) {
        case .failure(let rejection): .rejected(rejection)
        case .success(.checkout(let checkout)):
            // All that is worked out of a message alone is worked out here: later stages only see what was valid.
            .checkout(checkout, demand: checkout.demand, digest: checkout.contentDigest)
        }
    }

    /// Tells the entries apart, by what the ledger and the batch in flight before this one hold.
    ///
    /// Replays and conflicts are found here, and entries that are dead letters already: one of those that is read again
    /// could have become possible meanwhile, and would be decided but not recorded.
    func skip(_ decoded: [DecodedEntry], inFlight: [Identifier: KnownOrder]) async throws -> PreparedBatch {
        Failpoint.skipBefore.pass()
        let ids = decoded.compactMap { entry -> Identifier? in
            guard case .checkout(let checkout, _, _) = entry.content, inFlight[checkout.orderID] == nil else {
                return nil
            }
            return checkout.orderID
        }
        let known = try await ledger.known(orders: ids, entries: decoded.map(\.entry.id))
        let deadEntries = Set(known.deadLetters.keys.map(\.entryID))
        var batch = PreparedBatch(
            entries: decoded.map(\.entry), plans: [], operations: [], catalogueVersion: catalog.version)
        batch.plans.reserveCapacity(decoded.count)
        var inBatch: [Identifier: (operation: Int, digest: [UInt8])] = [:]
        for decodedEntry in decoded {
            let entry = decodedEntry.entry
            if deadEntries.contains(entry.id),
                let outcome = known.deadLetters[EntryKey(entryID: entry.id, fingerprint: entry.fingerprint)]
            {
                batch.plans.append(.known(outcome))
                continue
            }
            switch decodedEntry.content {
            case .rejected(let rejection):
                let orderID = MessageDecoder.orderID(inRejected: entry.payload)
                batch.plans.append(.deadLetter(deadLetter(entry, rejection, orderID: orderID)))
            case .checkout(let checkout, let demand, let digest):
                if let order = inFlight[checkout.orderID] ?? known.orders[checkout.orderID] {
                    batch.plans.append(
                        order.digest == digest ? .known(order.outcome) : .deadLetter(conflict(entry, checkout)))
                } else if let order = inBatch[checkout.orderID] {
                    batch.plans.append(
                        order.digest == digest
                            ? .replayInBatch(operation: order.operation) : .deadLetter(conflict(entry, checkout)))
                } else if let rejection = catalog.violation(in: checkout) {
                    batch.plans.append(.deadLetter(deadLetter(entry, rejection, orderID: checkout.orderID)))
                } else {
                    inBatch[checkout.orderID] = (batch.operations.count, digest)
                    batch.operations.append(Operation(.take, demand))
                    batch.plans.append(.decide(checkout, demand: demand, digest: digest))
                }
            }
        }
        Failpoint.skipAfter.pass()
        return batch
    }

    /// The batch of an entry that has brought the process down too often: a dead letter, undecoded.
    func surrender(_ entry: StreamEntry, key: EntryKey) -> PreparedBatch {
        let rejection = Rejection(
            .crashedConsumer,
            "processing this entry alone ended the process \(ConsumerSettings.suspectAttempts) times; it was not decoded"
        )
        return PreparedBatch(
            entries: [entry], plans: [.deadLetter(deadLetter(entry, rejection, orderID: nil))], operations: [],
            catalogueVersion: catalog.version, suspect: key)
    }

    private func conflict(_ entry: StreamEntry, _ checkout: Checkout) -> DeadLetterRecord {
        let rejection = Rejection(
            .orderConflict, "order_id: \"\(checkout.orderID)\" is recorded with other items, quantities or prices")
        return deadLetter(entry, rejection, orderID: checkout.orderID)
    }

    private func deadLetter(_ entry: StreamEntry, _ rejection: Rejection, orderID: Identifier?) -> DeadLetterRecord {
        DeadLetterRecord(
            key: EntryKey(entryID: entry.id, fingerprint: entry.fingerprint), rejection: rejection, type: entry.type,
            payload: entry.payload, fields: entry.isPlain ? nil : entry.encodedFields, orderID: orderID,
            receivedAt: Timestamp.now())
    }
}
