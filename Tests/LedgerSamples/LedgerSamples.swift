import Domain
import Ledger

extension Catalogue {
    /// A capped product with a capped and an unlimited variant, an unlimited product, and a capped product.
    package static let sample = Catalogue(
        categories: ["kit", "material"],
        products: [
            Product(
                id: "cube", name: "Cube", category: "kit", devStatus: 5, basePrice: 99_500, cap: 10,
                variants: [
                    Variant(id: "black", name: "Black", cap: 6), Variant(id: "white", name: "White"),
                ]),
            Product(id: "sheet", name: "Sheet", category: "material", devStatus: 3, basePrice: 100),
            Product(id: "kit", name: "Kit", category: "kit", devStatus: 5, basePrice: 2_000, cap: 3),
        ])
}

/// An order line in the form that tests write.
package typealias Line = (product: Identifier, variant: Identifier?, units: Int64)

/// Creates an order whose digest and entry id are derived from its id.
package func order(_ id: Identifier, _ lines: [Line], _ decision: Decision) -> BatchRecord<DecidedCommand> {
    let items = lines.map {
        Checkout.Item(productID: $0.product, variantID: $0.variant, units: $0.units, unitPrice: 100)
    }
    return order(Checkout(orderID: id, items: items), decision)
}

package func order(_ checkout: Checkout, _ decision: Decision) -> BatchRecord<DecidedCommand> {
    let order = Order(checkout)
    return decided(
        PlannedCommand(.placeOrder(order), movements: order.movements), decision, entryID: "\(checkout.orderID)-0")
}

/// - Parameter owned: the units that its order owned before.
package func cancellation(
    _ cancellation: Cancellation, of owned: [SKUUnits], _ decision: Decision, entryID: String = "9-0"
) -> BatchRecord<DecidedCommand> {
    let movements = CancellationEffect(cancellation, from: owned).movements
    return decided(PlannedCommand(.cancel(cancellation), movements: movements), decision, entryID: entryID)
}

package func adjustment(
    _ adjustment: Adjustment, _ decision: Decision, entryID: String = "8-0"
) -> BatchRecord<DecidedCommand> {
    decided(PlannedCommand(.adjust(adjustment), movements: adjustment.movements), decision, entryID: entryID)
}

package func refund(
    _ id: Identifier, of order: Identifier, intent: String? = nil, amount: Int64? = nil, currency: String? = nil
) -> BatchRecord<DecidedCommand> {
    let refund = Refund(
        refundID: id, orderID: order, paymentIntentID: intent, amount: amount, currency: currency,
        refundedAt: "2026-11-22", by: "support")
    return decided(PlannedCommand(.refund(refund), movements: []), .unchanged, entryID: "7-0")
}

private func decided(_ planned: PlannedCommand, _ decision: Decision, entryID: String) -> BatchRecord<DecidedCommand> {
    .command(DecidedCommand(planned, decision, decidedAt: "2026-11-22T10:00:00.000Z", entryID: entryID))
}

package func refused(_ counter: CounterName, asked: Int64, left: Int64) -> Decision {
    .refused(Shortage(counter: counter, asked: asked, left: left))
}

package func deadLetter(
    _ entryID: String, fingerprint: [UInt8] = [1], reason: DeadLetterReason = .invalidJSON, payload: [UInt8]? = [0xFF],
    isWhole: Bool = true, orderID: Identifier? = nil, payment: Payment? = nil
) -> BatchRecord<DecidedCommand> {
    .deadLetter(
        NewDeadLetter(
            key: EntryIdentity(entryID: entryID, fingerprint: fingerprint), cause: InvalidMessage(reason, "detail"),
            type: Array("t".utf8), payload: payload, fields: nil, bytes: 12, isWhole: isWhole,
            ids: MessageIDs(order: orderID), payment: payment, receivedAt: "2026-11-22T10:00:00.000Z"))
}

extension LedgerStore {
    /// Records the next batch, starting from the ledger's current head.
    @discardableResult
    package func recordNext(
        _ records: [BatchRecord<DecidedCommand>], attemptsOver: [EntryIdentity] = [], replayed: [Int64] = []
    ) async throws -> RecordResult {
        let head = try await head()
        return try await record(
            JournalBatch(
                epoch: head.epoch, catalogueVersion: head.catalogueVersion, seqBefore: head.seq, records: records,
                attemptsOver: attemptsOver, replayed: replayed))
    }
}

extension EpochKeeper {
    @discardableResult
    package func raiseEpoch() async throws -> EpochStart {
        try await raiseEpoch(catalogueBefore: nil, reason: "test")
    }
}

extension LedgerRecords {
    package func order(_ id: Identifier) async throws -> RecordedOrder? { try await orderDetails(of: id).order }
}

extension LedgerAdmin {
    package func sync(_ catalogue: Catalogue, dryRun: Bool) async throws -> CatalogueChanges {
        try await dryRun ? changes(by: catalogue) : sync(catalogue)
    }
}

extension LedgerAudit {
    /// Returns every counter, with the changes recorded after `seq`.
    package func counters(withChangesAfter seq: Int64) async throws -> CountersAsOf {
        try await counters(counterNames(after: nil, limit: 1_000).names, withChangesAfter: seq)
    }
}

extension Command.Key {
    package static func order(_ id: Identifier) -> Command.Key { Command.Key(.placeOrder, id) }
}
